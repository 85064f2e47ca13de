"""`tinyml validate [PROJECT | MODEL]`."""

from __future__ import annotations

from pathlib import Path

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


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("validate")
    def validate_command(
        target: TargetArgument = Path(),
        board: BoardOption = None,
        engine: EngineOption = None,
        optimize: OptimizeOption = None,
        output: OutputOption = None,
        force: ForceOption = False,
        inputs: InputOption = None,
        vectors: VectorsOption = None,
        seed: SeedOption = None,
        outputs_only: bool = typer.Option(
            False, "--outputs-only", help="Compare the model's outputs, not every layer."
        ),
        checksums: bool = typer.Option(
            False,
            "--checksums",
            help="Over a port, fetch only layers whose CRC-32 differs: for slow lines.",
        ),
        port: PortOption = None,
        emulator: EmulatorOption = None,
        system: SystemOption = None,
        timeout: TimeLimitOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Compare every layer on the device with the reference, bit for bit.

        Examples: `tinyml validate kws --vectors 100` · `tinyml validate kws --input yes.npy` ·
        `tinyml validate kws --port socket://127.0.0.1:4000`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.target import project_of
            from tinyml_tool.api.validate import validate
            from tinyml_tool.cli.settings import preset_of
            from tinyml_tool.cli.verdict import verdict

            project = project_of(
                target,
                board=board,
                engine=engine,
                optimize=preset_of(optimize),
                output=output,
                force=force,
                builds="nothing" if port else "emulated",
                progress=progress,
            )
            evidence = validate(
                project,
                inputs=inputs or (),
                vectors=vectors or 10,
                seed=seed or 0,
                layers=not outputs_only,
                checksums=checksums,
                port=port,
                emulator=emulator.value if emulator else None,
                system="cmake" if system is System.CMAKE else "platformio",
                time_limit=timeout,
                progress=progress,
            )
            return verdict(str(project), evidence)

        run_command("validate", act, json=json, quiet=quiet)
