"""Builds the firmwares of these tests with the cross compiler, and plays their scenarios."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyml_tool.boards import Board, load_boards
from tinyml_tool.devices.device import DeviceEndedError, Ending
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import DeviceError
from tinyml_tool.firmware import build_flags
from tinyml_tool.firmware.port_sources import port_sources
from tinyml_tool.firmware.templates import render, source

SOURCES = Path(__file__).parent / "firmware"
COMPILER = "arm-none-eabi-gcc"
BOARDS = [board for board in load_boards().values() if board.emulator]
STACK_BYTES = 2048

BuildFor = Callable[[Board], Path]
"""From a board to the self-test firmware built for it."""


def need_tools() -> None:
    for tool in (COMPILER, "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: sudo apt install gcc-arm-none-eabi qemu-system")


def build(
    board: Board,
    directory: Path,
    *,
    program: str = "selftest.c",
    optimise: str = "-O2",
    semihosting: int = 1,
    stack_bytes: int = STACK_BYTES,
) -> Path:
    """Compile the whole port of `board` with one program; warnings are errors."""
    directory.mkdir(parents=True, exist_ok=True)
    units = [str(SOURCES / program)]
    for name in port_sources(board):
        template = f"port/{name}"
        text = (
            render(template, board=board, stack_bytes=stack_bytes)
            if name.endswith(".j2")
            else source(template)
        )
        path = directory / name.removesuffix(".j2")
        path.write_text(text)
        if path.suffix == ".c":
            units.append(str(path))
    elf = directory / "firmware.elf"
    flags = [flag for flag in build_flags.COMPILE_FLAGS if flag not in ("-O2", "-fstack-usage")]
    command = [
        COMPILER,
        *board.core.gcc_flags,
        *build_flags.C_FLAGS,
        *flags,
        optimise,
        *build_flags.WARNING_FLAGS,
        *build_flags.C_WARNING_FLAGS,
        "-Werror",
        f"-DTINYML_SEMIHOSTING={semihosting}",
        f"-I{directory}",
        *units,
        *build_flags.LINK_FLAGS,
        "-Wl,--fatal-warnings",
        f"-T{directory / 'link.ld'}",
        f"-o{elf}",
    ]
    result = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=directory, timeout=60
    )
    if result.returncode != 0:
        raise AssertionError(f"{board.id}: {result.stderr}")
    return elf


def read_until(device: QemuDevice, text: bytes, timeout: float = 10.0) -> bytes:
    """Everything up to and including `text`."""
    received = b""
    while text not in received:
        data = device.stream.read(65536, timeout)
        assert data, f"{device.name} sent nothing for {timeout} s after {received[-200:]!r}"
        received += data
    return received


def read_to_end(device: QemuDevice, timeout: float = 10.0) -> tuple[bytes, Ending]:
    """Everything until the firmware ends by itself.  Faults are raised."""
    received = b""
    try:
        while data := device.stream.read(65536, timeout):
            received += data
    except DeviceEndedError as error:
        return received, error.ending
    raise AssertionError(f"{device.name} still runs, after {received[-200:]!r}")


def play(board: Board, elf: Path, scenario: str, **options: object) -> tuple[str, Ending]:
    """What the firmware prints in this scenario, and how it ends."""
    with QemuDevice(board, elf, arguments=scenario, time_limit=60, **options) as device:  # type: ignore[arg-type]
        received, ending = read_to_end(device)
    return received.decode("ascii"), ending


def fault_of(board: Board, elf: Path, scenario: str) -> DeviceError:
    """The error that a scenario ends with."""
    with (
        QemuDevice(board, elf, arguments=scenario, time_limit=60) as device,
        pytest.raises(DeviceError) as caught,
    ):
        read_to_end(device)
    return caught.value


def numbers(text: str, name: str) -> list[int]:
    """All values of `name=value` lines."""
    lines = [line.split("=") for line in text.splitlines() if line.count("=") == 1]
    return [int(value) for key, value in lines if key == name]


def number(text: str, name: str) -> int:
    (value,) = numbers(text, name)
    return value
