"""`tinyml build [PROJECT]`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.options import Json, ProjectArgument, Quiet, System, SystemOption
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console


def _act(project: Path, system: System | None, minimal: bool, progress: Progress) -> Outcome:
    from tinyml_tool.api.build import build
    from tinyml_tool.report.firmware import firmware_json, firmware_table

    firmware = build(
        project,
        system="cmake" if system is System.CMAKE else "platformio",
        program="minimal" if minimal else "firmware",
        progress=progress,
    )

    def show(console: Console) -> None:
        console.print(firmware_table(firmware))

    return Outcome(firmware_json(firmware), show)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("build")
    def build_command(
        project: ProjectArgument = Path(),
        system: SystemOption = None,
        minimal: bool = typer.Option(
            False, "--minimal", help="Build the smallest program around the model instead."
        ),
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Build a generated project with PlatformIO or CMake; tell its size.

        Examples: `tinyml build kws` · `tinyml build kws --with cmake`
        """
        run_command(
            "build", lambda say: _act(project, system, minimal, say), json=json, quiet=quiet
        )
