"""`tinyml build [PROJECT | MODEL]`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.options import (
    BoardOption,
    EngineOption,
    ForceOption,
    Json,
    OptimizeOption,
    OutputOption,
    Quiet,
    System,
    SystemOption,
    TargetArgument,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command
from tinyml_tool.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from tinyml_tool.toolchain.board_build import BoardFirmware
    from tinyml_tool.toolchain.build import Firmware


def _outcome(firmware: Firmware) -> Outcome:
    from tinyml_tool.report.firmware import firmware_json, firmware_table

    def show(console: Console) -> None:
        console.print(firmware_table(firmware))

    return Outcome(firmware_json(firmware), show)


def _real_outcome(firmware: BoardFirmware) -> Outcome:
    from tinyml_tool.report.firmware import board_firmware_json, board_firmware_table

    def show(console: Console) -> None:
        console.print(board_firmware_table(firmware))

    return Outcome(board_firmware_json(firmware), show)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("build")
    def build_command(
        target: TargetArgument = Path(),
        board: BoardOption = None,
        engine: EngineOption = None,
        optimize: OptimizeOption = None,
        output: OutputOption = None,
        force: ForceOption = False,
        system: SystemOption = None,
        minimal: bool = typer.Option(
            False, "--minimal", help="Build the smallest program around the model instead."
        ),
        real: bool = typer.Option(
            False, "--real", help="Build for the real board, with its framework, instead."
        ),
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Build a generated project with PlatformIO or CMake; tell its size.

        Examples: `tinyml build kws` · `tinyml build kws --with cmake` ·
        `tinyml build kws.tflite --board qemu-m55` · `tinyml build kws --real`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.build import build, build_real
            from tinyml_tool.api.target import project_of
            from tinyml_tool.cli.settings import preset_of

            project = project_of(
                target,
                board=board,
                engine=engine,
                optimize=preset_of(optimize),
                output=output,
                force=force,
                builds="board" if real else "emulated",
                progress=progress,
            )
            if real:
                if minimal or system is not None:
                    raise InputError("--real goes neither with --with nor with --minimal")
                return _real_outcome(build_real(project, progress=progress))
            return _outcome(
                build(
                    project,
                    system="cmake" if system is System.CMAKE else "platformio",
                    program="minimal" if minimal else "firmware",
                    progress=progress,
                )
            )

        run_command("build", act, json=json, quiet=quiet)
