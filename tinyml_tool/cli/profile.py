"""`tinyml profile [PROJECT | MODEL]`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.options import (
    BoardOption,
    EmulatorOption,
    EngineOption,
    ForceOption,
    Json,
    OutputOption,
    PortOption,
    Quiet,
    System,
    SystemOption,
    TargetArgument,
    TimeLimitOption,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("profile")
    def profile_command(
        target: TargetArgument = Path(),
        board: BoardOption = None,
        engine: EngineOption = None,
        output: OutputOption = None,
        force: ForceOption = False,
        port: PortOption = None,
        emulator: EmulatorOption = None,
        system: SystemOption = None,
        timeout: TimeLimitOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Show what each layer costs: instructions, instructions a MAC, kernel, bytes.

        Examples: `tinyml profile kws.tflite --board qemu-m4` · `tinyml profile kws --json` ·
        `tinyml profile kws --port /dev/ttyACM0`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.profile import profile
            from tinyml_tool.api.target import project_of
            from tinyml_tool.report.profile import profile_view

            project = project_of(
                target, board=board, engine=engine, output=output, force=force, progress=progress
            )
            result = profile(
                project,
                port=port,
                emulator=emulator.value if emulator else None,
                system="cmake" if system is System.CMAKE else "platformio",
                time_limit=timeout,
                progress=progress,
            )

            def show(console: Console) -> None:
                for part in profile_view(result):
                    console.print(part)

            return Outcome(result.to_json(), show)

        run_command("profile", act, json=json, quiet=quiet)
