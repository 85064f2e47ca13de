"""Which blocks of a program QEMU executes, and how often, while it runs without link or console."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from tinyml_tool.boards import Board
from tinyml_tool.devices.process import ChildProcess
from tinyml_tool.devices.qemu import PROGRAM
from tinyml_tool.errors import DeviceError, ToolMissingError

_INSTRUCTION = re.compile(r"0x([0-9a-f]+): ")


@dataclass(frozen=True)
class Step:
    """A block of code that ran in a region, and the address at which the program went on."""

    region: str | None
    block: int
    """Address of its first instruction."""
    follower: int


@dataclass(frozen=True)
class ExecutionTrace:
    """A whole run."""

    blocks: dict[int, int]
    """Where the last instruction of a block begins, or ends, by the address of its first."""
    steps: Counter[Step]


def trace_execution(
    elf: Path,
    board: Board,
    region_of: Callable[[int], str | None],
    *,
    time_limit: float = 600.0,
    program: str = PROGRAM,
) -> ExecutionTrace:
    """Run `elf` until it jumps to where it is, and count its blocks by region.

    `region_of` tells the region that code at an address belongs to; None stands for the region of
    its caller.  Raises ToolMissingError without QEMU, DeviceError for a board that QEMU does not
    emulate, or a program that does not end.
    """
    if board.emulator is None or board.emulator.kind != "qemu":
        raise DeviceError(f"board '{board.id}' is not emulated by QEMU")
    if shutil.which(program) is None:
        raise ToolMissingError(
            f"{program} is not installed", hint="sudo apt install qemu-system-arm"
        )
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        pipe = Path(folder) / "trace"
        os.mkfifo(pipe)
        command = [program, "-machine", board.emulator.machine, "-display", "none"]
        command += ["-monitor", "none", "-serial", "none", "-d", "exec,nochain,in_asm"]
        process = ChildProcess([*command, "-D", str(pipe), "-kernel", str(elf.resolve())])
        # Opening the pipe waits for QEMU to open it, too: let that not wait for ever.
        release = Timer(10.0, lambda: os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK)))
        limit = Timer(time_limit, process.end)
        limit.start()
        try:
            with pipe.open(errors="replace") as lines:
                trace = _read(lines, region_of)
        finally:
            limit.cancel()
            release.cancel()
            process.end()
    if trace is None:
        raise DeviceError(f"{board.id}: the program did not end within {time_limit:g} s")
    return trace


def _read(lines: Iterator[str], region_of: Callable[[int], str | None]) -> ExecutionTrace | None:
    """The trace up to the jump to itself; None where that is missing."""
    blocks: dict[int, int] = {}
    regions: dict[str, str | None] = {}
    counted: Counter[tuple[str | None, str, str]] = Counter()
    translated: list[int] = []
    region, block = None, ""
    for line in lines:
        if line.startswith("Trace"):
            follower = line.split("/", 2)[1]
            if translated:
                blocks[translated[0]] = translated[-1]
                translated = []
            if block:
                counted[region, block, follower] += 1
            if block == follower and blocks[int(block, 16)] == int(block, 16):
                break
            block = follower
            if block not in regions:
                regions[block] = region_of(int(block, 16))
            region = regions[block] or region
        elif found := _INSTRUCTION.match(line):
            translated.append(int(found[1], 16))
    else:
        return None
    steps = Counter[Step]()
    for (where, one, other), count in counted.items():
        steps[Step(where, int(one, 16), int(other, 16))] += count
    return ExecutionTrace(blocks, steps)
