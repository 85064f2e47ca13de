"""`tinyml inspect MODEL`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.one_thread import numpy_in_one_thread
from tinyml_tool.cli.options import (
    BoardOption,
    Engine,
    EngineOption,
    Json,
    ModelArgument,
    NoPassOption,
    Optimize,
    OptimizeOption,
    Quiet,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


def _act(
    model: Path | None,
    board: str | None,
    engine: Engine | None,
    optimize: Optimize | None,
    passes: bool,
    no_pass: list[str] | None,
    progress: Progress,
) -> Outcome:
    numpy_in_one_thread()
    from tinyml_tool.api.inspect import inspect
    from tinyml_tool.cli.settings import read_settings
    from tinyml_tool.compiler.unsupported import unsupported
    from tinyml_tool.report.inspection import inspection_view
    from tinyml_tool.report.passes import passes_view

    settings = read_settings(model)
    progress(f"inspecting {settings.model}")
    chosen_engine = settings.engine(engine and engine.value)
    inspection = inspect(
        settings.model,
        board=board,
        engine=chosen_engine,
        optimize=settings.optimize(optimize, chosen_engine),
        without_passes=settings.without_passes(no_pass, chosen_engine),
        features=settings.config.features,
        answer=settings.config.answer,
    )

    def show(console: Console) -> None:
        for part in passes_view(inspection) if passes else inspection_view(inspection):
            console.print(part)

    problems = inspection.problems
    error = unsupported(inspection.name, inspection.engine, problems) if problems else None
    return Outcome(inspection.to_json(), show, error=error)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("inspect")
    def inspect_command(
        model: ModelArgument = None,
        board: BoardOption = None,
        engine: EngineOption = None,
        optimize: OptimizeOption = None,
        passes: bool = typer.Option(
            False, "--passes", help="Show the graph passes and what each of them did."
        ),
        no_pass: NoPassOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Show a model's layers, their cost, engine support, and the boards it fits.

        Examples: `tinyml inspect kws.tflite` · `tinyml inspect kws.tflite --board qemu-m0 --json` ·
        `tinyml inspect vww.tflite --passes`
        """
        run_command(
            "inspect",
            lambda say: _act(model, board, engine, optimize, passes, no_pass, say),
            json=json,
            quiet=quiet,
        )
