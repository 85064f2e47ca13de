"""`tinyml generate MODEL`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.one_thread import numpy_in_one_thread
from tinyml_tool.cli.options import (
    ArenaInOption,
    ArenaOption,
    BoardOption,
    Engine,
    EngineOption,
    ForceOption,
    Json,
    Mlperf,
    MlperfOption,
    ModelArgument,
    NameOption,
    NoPassOption,
    Optimize,
    OptimizeOption,
    OutputOption,
    Quiet,
    SourceOption,
    TuneOption,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console


def _act(
    model: Path | None,
    board: str | None,
    engine: Engine | None,
    optimize: Optimize | None,
    output: Path | None,
    name: str | None,
    arena: int | None,
    no_pass: list[str] | None,
    mlperf: Mlperf | None,
    source: str | None,
    tune: bool,
    arena_in: str | None,
    force: bool,
    progress: Progress,
) -> Outcome:
    numpy_in_one_thread()
    from tinyml_tool.api.generate import generate
    from tinyml_tool.cli.settings import read_settings

    settings = read_settings(model)
    chosen_engine = settings.engine(engine and engine.value)
    generated = generate(
        settings.model,
        board=settings.board(board),
        engine=chosen_engine,
        optimize=settings.optimize(optimize, chosen_engine),
        output=settings.output(output),
        name=name or settings.config.project.name,
        force=force,
        arena_bytes=settings.arena_bytes(arena, chosen_engine),
        without_passes=settings.without_passes(no_pass, chosen_engine),
        mlperf=settings.mlperf(mlperf),
        features=settings.config.features,
        answer=settings.config.answer,
        source=settings.source(source),
        tune=tune,
        arena_in=settings.arena_in(arena_in),
        progress=progress,
    )

    def show(console: Console) -> None:
        estimate = generated.footprint
        console.print(
            f"{generated.project}: {len(generated.files)} files for {generated.board.id}, "
            f"engine {generated.engine}, arena {estimate.arena_bytes:,} bytes, "
            f"weights {estimate.constant_bytes:,} bytes"
        )
        for region in generated.regions:
            holds = ", the arena included" if region.name == generated.arena_region else ""
            console.print(
                f"RAM {region.name}: {region.bytes:,} of {region.size:,} bytes (estimated){holds}"
            )
        if generated.features is not None:
            made = generated.features
            console.print(
                f"features: {made.comment} {made.ram_bytes:,} bytes of RAM, "
                f"{made.constant_bytes:,} bytes of tables"
            )
        if generated.answer is not None:
            told = generated.answer
            console.print(f"answer: {told.about} {told.ram_bytes:,} bytes of RAM")
        if generated.source is not None:
            read = generated.source
            console.print(f"source: {read.comment} {read.ram_bytes:,} bytes of RAM")
        for layer in generated.tuning.layers if generated.tuning is not None else ():
            console.print(f"layer {layer.layer} {layer.kind}: {layer.reason}")
        console.print(f"next: tinyml build {generated.project}")
        if generated.board.is_real:
            console.print(f"  or: tinyml flash {generated.project}, with the board connected")

    return Outcome(generated.to_json(), show, generated.warnings)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("generate")
    def generate_command(
        model: ModelArgument = None,
        board: BoardOption = None,
        engine: EngineOption = None,
        optimize: OptimizeOption = None,
        output: OutputOption = None,
        name: NameOption = None,
        arena: ArenaOption = None,
        no_pass: NoPassOption = None,
        mlperf: MlperfOption = None,
        source: SourceOption = None,
        tune: TuneOption = False,
        arena_in: ArenaInOption = None,
        force: ForceOption = False,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Write a firmware project for a model: C sources, PlatformIO and CMake, test vectors.

        Examples: `tinyml generate kws.tflite --board qemu-m4 --output kws` ·
        `tinyml generate kws.tflite -b netduinoplus2 --force` ·
        `tinyml generate kws.tflite --optimize size` · `tinyml generate kws.tflite --tune` ·
        `tinyml generate kws.tflite --mlperf kws01` · `tinyml generate kws.tflite --engine tflm` ·
        `tinyml generate kws.tflite --board nano33ble --source pdm`
        """
        run_command(
            "generate",
            lambda say: _act(
                model,
                board,
                engine,
                optimize,
                output,
                name,
                arena,
                no_pass,
                mlperf,
                source,
                tune,
                arena_in,
                force,
                say,
            ),
            json=json,
            quiet=quiet,
        )
