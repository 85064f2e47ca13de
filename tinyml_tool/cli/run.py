"""`tinyml run [PROJECT | MODEL]`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.options import (
    BoardOption,
    EmulatorOption,
    EngineOption,
    ForceOption,
    InputOption,
    Json,
    OptimizeOption,
    OutputOption,
    PortOption,
    Quiet,
    SeedOption,
    System,
    SystemOption,
    TargetArgument,
    TimeLimitOption,
    VectorsOption,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console

    from tinyml_tool.api.run import RunResult


def _outcome(result: RunResult) -> Outcome:
    from tinyml_tool.report.answers import answers_table
    from tinyml_tool.report.arena import arena_line

    def show(console: Console) -> None:
        console.print(answers_table(result))
        if result.ran_on != result.board:
            console.print(f"on {result.ran_on}, which is emulated in place of {result.board}")
        if result.arena.spare_bytes > 0:
            console.print(f"arena: {arena_line(result.arena)}")
        if result.instructions is not None:
            console.print(f"{result.instructions:,} instructions for one inference (emulated)")
        if result.seconds is not None:
            console.print(f"{result.seconds * 1000:.2f} ms for one inference")

    return Outcome(result.to_json(), show)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("run")
    def run_command_(
        target: TargetArgument = Path(),
        board: BoardOption = None,
        engine: EngineOption = None,
        optimize: OptimizeOption = None,
        output: OutputOption = None,
        force: ForceOption = False,
        inputs: InputOption = None,
        vectors: VectorsOption = None,
        seed: SeedOption = None,
        port: PortOption = None,
        emulator: EmulatorOption = None,
        system: SystemOption = None,
        timeout: TimeLimitOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Run a project's firmware on its emulator or a port, and show what it answers.

        Examples: `tinyml run kws --input yes.npy` · `tinyml run kws --port /dev/ttyACM0`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.run import run
            from tinyml_tool.api.target import project_of
            from tinyml_tool.cli.settings import preset_of

            return _outcome(
                run(
                    project_of(
                        target,
                        board=board,
                        engine=engine,
                        optimize=preset_of(optimize),
                        output=output,
                        force=force,
                        builds="nothing" if port else "emulated",
                        progress=progress,
                    ),
                    inputs=inputs or (),
                    vectors=vectors or 1,
                    seed=seed or 0,
                    port=port,
                    emulator=emulator.value if emulator else None,
                    system="cmake" if system is System.CMAKE else "platformio",
                    time_limit=timeout,
                    progress=progress,
                )
            )

        run_command("run", act, json=json, quiet=quiet)
