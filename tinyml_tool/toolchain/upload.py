"""Getting firmware onto a board: PlatformIO builds what has changed, and uploads it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tinyml_tool.boards import Board
from tinyml_tool.errors import DeviceError, TinymlError
from tinyml_tool.toolchain.board_build import library_variables
from tinyml_tool.toolchain.build_log import failure
from tinyml_tool.toolchain.platformio import (
    core_folder,
    platformio_environment,
    require_platformio,
)
from tinyml_tool.toolchain.programs import run_logged
from tinyml_tool.toolchain.registry import require_platform

LOG = ".pio/upload.log"
TIME_LIMIT = 600.0

_PROBES = frozenset(
    ("stlink", "jlink", "cmsis-dap", "pyocd", "openocd", "mbed", "dfu", "raspberrypi-swd")
)
"""Protocols that find the board themselves: some would take a serial port for something else."""

_BOOT_LOADERS = frozenset(("picotool", "teensy-cli"))
"""Protocols that also find a board whose boot loader waits: it has no serial port then."""

_SHOWN_LINES = 6

_TROUBLE = re.compile(
    r"error|fail|cannot|could not|unable|denied|busy|no (such )?device|not found|timed out",
    re.IGNORECASE,
)

_HINTS = (
    (
        ("permission denied", "libusb_error_access", "insufficient permissions"),
        "`tinyml ports` tells how to get the permission; debug probes need PlatformIO's udev rules "
        "(its documentation: 99-platformio-udev.rules)",
    ),
    (
        ("no device found", "open failed", "unable to find", "no such device", "not found in dfu"),
        "check cable and power; on boards with a BOOT or RESET button, press RESET twice, or hold "
        "BOOT while plugging it in",
    ),
    (
        ("timed out waiting for packet", "failed to connect to esp", "no serial data received"),
        "hold the BOOT button until the upload begins",
    ),
    (
        ("resource busy", "could not open port", "port is busy"),
        "`tinyml ports` tells which program holds the port",
    ),
)


def needs_port(board: Board) -> bool:
    """Whether nothing can be uploaded to the board without its serial port."""
    return board.upload.protocol not in _PROBES | _BOOT_LOADERS


def require_upload(project: Path, board: Board) -> None:
    """Raise ToolMissingError, within three seconds, where PlatformIO or its registry is missing.

    Or the TFLM that a project of engine tflm links.
    """
    folder = project.resolve()
    require_platformio()
    library_variables(folder, board)
    require_platform(folder, board, core_folder(folder))


def upload(
    project: Path,
    board: Board,
    *,
    port: str | None,
    progress: Callable[[str], None],
    time_limit: float = TIME_LIMIT,
) -> None:
    """Build the firmware of `project` where needed, and put it onto the board at `port`.

    `port` is the serial port of the board; uploads through a debug probe do without.  Raises
    BuildError where the firmware does not build, DeviceError where the board does not take it.
    `require_upload` comes first.
    """
    folder = project.resolve()
    command = [sys.executable, "-P", "-m", "platformio", "run", "--environment", board.id]
    command += ["--target", "upload"]
    if port and board.upload.protocol not in _PROBES:
        command += ["--upload-port", port]
    progress(f"building and uploading with PlatformIO to {port or board.id}")
    log = folder / LOG
    finished = run_logged(
        command,
        directory=folder,
        environment=platformio_environment(folder) | library_variables(folder, board),
        log=log,
        time_limit=time_limit,
    )
    if finished.status != 0:
        raise upload_failure(finished.output, board, folder, log)


def upload_failure(output: str, board: Board, project: Path, log: Path) -> TinymlError:
    """The error for what PlatformIO wrote: of the compiler, or of the upload."""
    if "*** [upload]" not in output:
        return failure(output, board, project, log)
    lines = _upload_lines(output)
    telling = [line for line in lines if _TROUBLE.search(line)] or lines
    hints = [hint for marks, hint in _HINTS if any(mark in output.lower() for mark in marks)]
    return DeviceError(
        f"{board.id}: the upload failed: {telling[-1] if telling else 'no reason given'}",
        hint=hints[0] if hints else f"the whole log is in {log}",
        details=lines[-_SHOWN_LINES:],
    )


def _upload_lines(output: str) -> list[str]:
    """What the uploader wrote.  PlatformIO mixes two streams: lines may follow the error's mark."""
    written = output.rpartition("Configuring upload protocol")[2].splitlines()[1:]
    lines = []
    for line in map(str.strip, written):
        if line.startswith("====="):  # PlatformIO's summary
            break
        if line and not line.startswith(("***", "upload([")):
            lines.append(line)
    return lines
