"""`build`: from a generated project to firmware, and how much room it takes."""

from __future__ import annotations

from pathlib import Path

from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.firmware.project_board import project_board
from tinyml_tool.toolchain.board_build import BoardFirmware, build_for_real_board
from tinyml_tool.toolchain.build import Firmware, Program, System, build_project


def build(
    project: str | Path = ".",
    *,
    system: System = "platformio",
    program: Program = "firmware",
    progress: Progress = no_progress,
) -> Firmware:
    """Build the generated project in `project` for the board it was generated for.

    A project of a real board is built for the emulated one beside it: see `Firmware.board`.
    Raises InputError where there is no project, ToolMissingError, BuildError with the compiler's
    first errors, or DoesNotFitError with the numbers.
    """
    folder = Path(project)
    board = project_board(folder, read_manifest(folder))
    return build_project(folder, board, system, program=program, progress=progress)


def build_real(project: str | Path = ".", *, progress: Progress = no_progress) -> BoardFirmware:
    """Build the generated project in `project` for its real board, with the board's framework.

    Raises InputError for a project of an emulated board, ToolMissingError at once where PlatformIO
    needs its registry and cannot reach it, BuildError or DoesNotFitError.
    """
    folder = Path(project)
    board = project_board(folder, read_manifest(folder))
    return build_for_real_board(folder, board, progress=progress)
