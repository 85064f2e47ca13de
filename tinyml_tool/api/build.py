"""`build`: from a generated project to firmware, and how much room it takes."""

from __future__ import annotations

from pathlib import Path

from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.boards import load_board
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.toolchain.build import Firmware, Program, System, build_project


def build(
    project: str | Path = ".",
    *,
    system: System = "platformio",
    program: Program = "firmware",
    progress: Progress = no_progress,
) -> Firmware:
    """Build the generated project in `project` for the board it was generated for.

    Raises InputError where there is no project, ToolMissingError, BuildError with the compiler's
    first errors, or DoesNotFitError with the numbers.
    """
    folder = Path(project)
    board = load_board(read_manifest(folder).board)
    return build_project(folder, board, system, program=program, progress=progress)
