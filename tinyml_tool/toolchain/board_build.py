"""Building a project for its real board: PlatformIO with the vendor's framework and compiler."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.boards import Board
from tinyml_tool.compiler.tflm_release import release_for
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.toolchain.build_log import failure
from tinyml_tool.toolchain.platformio import (
    core_folder,
    platformio_environment,
    require_platformio,
)
from tinyml_tool.toolchain.programs import run_logged
from tinyml_tool.toolchain.registry import require_platform
from tinyml_tool.toolchain.tflm_directory import require_tflm

LOG = ".pio/board-build.log"
TIME_LIMIT = 1800.0
"""The first build downloads platform, compiler and framework: several hundred megabytes."""

_USED = r"^{}:.*\(used (\d+) bytes from \d+ bytes\)"


@dataclass(frozen=True)
class BoardFirmware:
    """A program for a real board.  The sizes are PlatformIO's, None where it did not tell them."""

    board: Board
    elf: Path
    flash_bytes: int | None
    ram_bytes: int | None
    """Static data; the framework's stack and heap come on top."""
    seconds: float


def build_for_real_board(
    project: Path,
    board: Board,
    *,
    progress: Callable[[str], None] = lambda _: None,
    time_limit: float = TIME_LIMIT,
) -> BoardFirmware:
    """Build the environment of the real `board` in `project`.

    Raises InputError for an emulated board, ToolMissingError within seconds where PlatformIO or,
    for the first build, its registry is missing, BuildError or DoesNotFitError.
    """
    if not board.is_real:
        raise InputError(
            f"board '{board.id}' is emulated: there is no other build for it",
            hint="leave --real out",
        )
    started = time.monotonic()
    folder = project.resolve()
    require_platformio()
    variables = library_variables(folder, board)
    require_platform(folder, board, core_folder(folder))
    progress(f"building for {board.id} with PlatformIO; the first time it downloads the framework")
    log = folder / LOG
    finished = run_logged(
        [sys.executable, "-P", "-m", "platformio", "run", "--environment", board.id],
        directory=folder,
        environment=platformio_environment(folder) | variables,
        log=log,
        time_limit=time_limit,
    )
    elf = folder / ".pio" / "build" / board.id / "firmware.elf"
    if finished.status != 0 or not elf.is_file():
        raise failure(finished.output, board, folder, log)
    return BoardFirmware(
        board,
        elf,
        flash_bytes=_used("Flash", finished.output),
        ram_bytes=_used("RAM", finished.output),
        seconds=time.monotonic() - started,
    )


def library_variables(project: Path, board: Board) -> dict[str, str]:
    """What the build of the real `board` must have in its environment to find what it links.

    Raises ToolMissingError where the TFLM of a project of engine tflm is not there.
    """
    if read_manifest(project).engine != "tflm" or release_for(board).package is not None:
        return {}
    return require_tflm(board.core, project).variables


def _used(memory: str, output: str) -> int | None:
    found = re.search(_USED.format(memory), output, re.MULTILINE)
    return int(found.group(1)) if found else None
