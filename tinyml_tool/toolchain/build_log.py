"""What went wrong, read from what compilers, linkers and build systems write."""

from __future__ import annotations

import re
from pathlib import Path

from tinyml_tool.boards import Board
from tinyml_tool.errors import BuildError, DoesNotFitError, TinymlError, ToolMissingError
from tinyml_tool.toolchain.compilers import APT_COMPILER

SHOWN = 10

_OVERFLOW = re.compile(r"region [`'‘](?P<region>\w+)['’] overflowed by (?P<bytes>\d+) bytes?")
_NO_COMPILER = re.compile(r"arm-none-eabi-\S+(?: is not on PATH|: (?:command )?not found)")
_NO_C_LIBRARY = re.compile(
    r"fatal error: (?:stdint|stddef|stdbool|string)\.h: No such file|ld: cannot find -lc\b"
)
_NO_REGISTER = re.compile(r"error: ['‘]asm['’] operand has impossible constraints")

# In each, the group `what` is what to show.
_SOURCE = re.compile(r"^\s*(?P<what>[^\s:][^:\n]*:\d+(?::\d+)?: (?:fatal )?error: .+)$", re.M)
_COMPILER = re.compile(r"^\s*(?P<what>(?:cc1\w*|\S*-gcc|as): (?:fatal )?error: .+)$", re.M)
_SYMBOL = re.compile(
    r"^.*?(?P<what>undefined reference to .+|multiple definition of .+|cannot find -l\S+.*"
    r"|section .+ overlaps section .+)$",
    re.M,
)
_LINKER = re.compile(r"^\S*?\bld(?:\.\w+)?: ?(?!warning: )(?P<what>.+)$", re.M)
_CMAKE = re.compile(r"^CMake Error[^\n]*:\n+[ ]*(?P<what>\S.*)$", re.M)
_BUILD_SYSTEM = re.compile(
    r"^(?:Error: |\w+Error: |CMake Error: |ninja: error: |\*\*\* )(?P<what>.+)$", re.M
)
_LINE = re.compile(r"^\s*(?P<what>\S.*)$", re.M)

# The first group of patterns that finds anything tells the cause; later ones only its consequence.
_CAUSES = ((_SOURCE, _COMPILER, _SYMBOL), (_LINKER,), (_CMAKE, _BUILD_SYSTEM))


def failure(output: str, board: Board, project: Path, log: Path) -> TinymlError:
    """The error that tells why a build of `project` failed, from its whole `output`."""
    overflows = {m["region"]: int(m["bytes"]) for m in _OVERFLOW.finditer(output)}
    if overflows:
        return _does_not_fit(overflows, board, log)
    if _NO_COMPILER.search(output):
        return ToolMissingError(
            "the cross compiler arm-none-eabi-gcc is not installed (not on PATH)",
            hint=f"on Debian or Ubuntu: {APT_COMPILER}",
        )
    if _NO_C_LIBRARY.search(output):
        return ToolMissingError(
            "the C library of the cross compiler (newlib) is not installed",
            hint=f"on Debian or Ubuntu: {APT_COMPILER}; the log is in {log}",
        )
    causes = [line.replace(f"{project}/", "") for line in _causes(output)]
    if _NO_REGISTER.search(output):
        return BuildError(
            "the firmware does not build: the compiler has no register left for a loop in assembly",
            hint="leave out -fno-omit-frame-pointer (or -pg), or add -DTINYML_DSP_ASSEMBLY=0: "
            f"the loops are then C, and slower; the whole log is in {log}",
            details=causes[:SHOWN],
        )
    last = [match["what"] for match in _LINE.finditer(output)][-SHOWN:]
    return BuildError(
        f"the firmware does not build: {[*causes, *reversed(last), 'no reason given'][0]}",
        hint=f"the whole log is in {log}",
        details=causes[:SHOWN] or last,
    )


def _does_not_fit(overflows: dict[str, int], board: Board, log: Path) -> DoesNotFitError:
    lines = []
    for region, excess in sorted(overflows.items()):
        kind, has = _memory(region, board)
        lines.append(
            f"{kind}: needs {has + excess:,} bytes, has {has:,}: {excess:,} bytes too many"
        )
    return DoesNotFitError(
        f"the firmware does not fit {board.id}: {'; '.join(lines)}",
        hint=f"take a board with more memory (`tinyml boards`) or a smaller model; see {log}",
        details=lines,
    )


def _memory(region: str, board: Board) -> tuple[str, int]:
    """What a memory of the linker script is called in messages, and its bytes."""
    memory = board.memory
    if region.upper() == "FLASH":
        return "flash", memory.flash.size
    for other in memory.other_regions:
        if region == f"RAM_{other.name.upper()}":
            return other.name, other.size
    return "RAM", memory.ram.size


def _causes(output: str) -> list[str]:
    """The lines that tell the cause, most telling first; none where no pattern knows them."""
    for patterns in _CAUSES:
        found = [
            match["what"].strip() for pattern in patterns for match in pattern.finditer(output)
        ]
        if found:
            return list(dict.fromkeys(found))
    return []
