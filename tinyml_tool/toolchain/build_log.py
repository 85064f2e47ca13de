"""What went wrong, read from what compilers, linkers and build systems write."""

from __future__ import annotations

import re
from pathlib import Path

from tinyml_tool.boards import Board
from tinyml_tool.errors import BuildError, DoesNotFitError, TinymlError, ToolMissingError

SHOWN = 10

_COMPILER = re.compile(
    r"^(?P<where>[^\s:][^:\n]*:\d+(?::\d+)?): (?:fatal )?error: (?P<what>.+)$", re.M
)
_LINKER = re.compile(
    r"^.*?(?P<what>undefined reference to .+|multiple definition of .+|cannot find -l\S+.*"
    r"|cannot open linker script .+|section .+ overlaps section .+|assertion failed: .+)$",
    re.M,
)
_OTHER_LINKER = re.compile(r"^\S*?\bld(?:\.\w+)?: ?(?!warning: )(?P<what>.+)$", re.M)
_OVERFLOW = re.compile(r"region [`'‘](?P<region>\w+)['’] overflowed by (?P<bytes>\d+) bytes?")
_NO_COMPILER = re.compile(r"arm-none-eabi-\S+(?: is not on PATH|: (?:command )?not found)")
_BUILD_SYSTEM = re.compile(r"^(?:Error: |CMake Error|ninja: error: |\*\*\* )(?P<what>.*)$", re.M)


def failure(output: str, board: Board, project: Path, log: Path) -> TinymlError:
    """The error that tells why a build of `project` failed, from its whole `output`."""
    overflows = {m["region"]: int(m["bytes"]) for m in _OVERFLOW.finditer(output)}
    if overflows:
        return _does_not_fit(overflows, board, log)
    if _NO_COMPILER.search(output):
        return ToolMissingError(
            "the cross compiler arm-none-eabi-gcc is not installed (not on PATH)",
            hint="`tinyml doctor` tells how to install it",
        )
    lines = _errors(output, project)
    return BuildError(
        f"the firmware does not build: {lines[0]}",
        hint=f"the whole log is in {log}",
        details=lines[:SHOWN],
    )


def _does_not_fit(overflows: dict[str, int], board: Board, log: Path) -> DoesNotFitError:
    lines = []
    for region, excess in sorted(overflows.items()):
        kind = "flash" if region.upper() in ("FLASH", "ROM") else "RAM"
        has = (board.memory.flash if kind == "flash" else board.memory.ram).size
        lines.append(
            f"{kind}: needs {has + excess:,} bytes, has {has:,}: {excess:,} bytes too many"
        )
    return DoesNotFitError(
        f"the firmware does not fit {board.id}: {'; '.join(lines)}",
        hint=f"take a board with more memory (`tinyml boards`) or a smaller model; see {log}",
        details=lines,
    )


def _errors(output: str, project: Path) -> list[str]:
    folder = f"{project}/"
    lines = [f"{m['where']}: error: {m['what']}" for m in _COMPILER.finditer(output)]
    lines += [m["what"] for m in _LINKER.finditer(output)]
    lines = lines or [m["what"] for m in _OTHER_LINKER.finditer(output)]
    if not lines:
        lines = [m["what"].strip() for m in _BUILD_SYSTEM.finditer(output) if m["what"].strip()]
    if not lines:
        lines = [line for line in output.splitlines() if line.strip()][-SHOWN:]
    unique = dict.fromkeys(line.replace(folder, "") for line in lines)
    return list(unique) or ["the build system said nothing"]
