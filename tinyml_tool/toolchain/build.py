"""From a generated project to firmware, whichever build system does the work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tinyml_tool.boards import Board
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.toolchain import cmake, platformio
from tinyml_tool.toolchain.compilers import DEFAULT, Compiler, find_compiler
from tinyml_tool.toolchain.elf import ElfFacts, elf_facts

System = Literal["platformio", "cmake"]
Program = Literal["firmware", "minimal"]

TIME_LIMIT = 300.0

# As parts of a path, PlatformIO and CMake take these for syntax of their own.
_BREAK_BUILD_SYSTEMS = frozenset("$;\n")


class Driver(Protocol):
    """How a build system makes an ELF file of a project."""

    def __call__(
        self,
        project: Path,
        board: Board,
        *,
        program: str,
        compiler: Compiler,
        progress: Callable[[str], None],
        time_limit: float,
    ) -> Path:
        """Build `program` and return its ELF file."""
        ...


DRIVERS: dict[str, Driver] = {"platformio": platformio.build, "cmake": cmake.build}


@dataclass(frozen=True)
class Firmware:
    """A built program."""

    elf: Path
    facts: ElfFacts
    system: str
    compiler: Compiler
    seconds: float


def build_project(
    project: Path,
    board: Board,
    system: System = "platformio",
    *,
    program: Program = "firmware",
    compiler: str = DEFAULT,
    progress: Callable[[str], None] = lambda _: None,
    time_limit: float = TIME_LIMIT,
) -> Firmware:
    """Build the generated project in `project` for `board`.

    `program` "minimal" is the smallest program around the model (initialisation and one inference,
    no input or output): what the model itself costs.

    Raises ToolMissingError, BuildError with the first errors, or DoesNotFitError with the numbers.
    """
    started = time.monotonic()
    folder = project.resolve()
    if (made_for := read_manifest(folder).board) != board.id:
        raise InputError(
            f"{project}: was generated for board '{made_for}', not for '{board.id}'",
            hint=f"use --board {made_for}, or generate it again for {board.id}",
        )
    if bad := sorted(set(str(folder)) & _BREAK_BUILD_SYSTEMS):
        raise InputError(
            f"{folder}: build systems cannot work in a path with {' or '.join(map(repr, bad))}",
            hint="move the project to another directory",
        )
    found = find_compiler(compiler)
    elf = DRIVERS[system](
        folder,
        board,
        program=program,
        compiler=found,
        progress=progress,
        time_limit=time_limit,
    )
    facts = elf_facts(elf, board)
    return Firmware(elf, facts, system, found, time.monotonic() - started)
