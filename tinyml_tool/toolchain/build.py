"""From a generated project to firmware, whichever build system does the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tinyml_tool.boards import Board, emulated_boards
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.toolchain import cmake, platformio
from tinyml_tool.toolchain.compilers import DEFAULT, Compiler, find_compiler
from tinyml_tool.toolchain.disassembly import disassemble
from tinyml_tool.toolchain.elf import ElfFacts, elf_facts
from tinyml_tool.toolchain.stack_bound import StackBound, stack_bound
from tinyml_tool.toolchain.tflm_directory import TflmDirectory, require_tflm

System = Literal["platformio", "cmake"]
Program = Literal["firmware", "minimal"]

TIME_LIMIT = 300.0

MODEL_FUNCTION = "model_invoke"

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
        variables: Mapping[str, str],
        progress: Callable[[str], None],
        time_limit: float,
    ) -> Path:
        """Build `program`, with `variables` added to the environment, and return its ELF file."""
        ...


DRIVERS: dict[str, Driver] = {"platformio": platformio.build, "cmake": cmake.build}


@dataclass(frozen=True)
class Firmware:
    """A built program, and the board it runs on: of a real one, the emulated stand-in."""

    elf: Path
    board: Board
    facts: ElfFacts
    system: str
    compiler: Compiler
    seconds: float
    model_stack: StackBound
    """What `model_invoke()` takes of the stack at most."""
    tflm: TflmDirectory | None = None
    """What engine tflm was linked with."""
    features_bytes: int | None = None
    """Of the RAM, what the preprocessing takes; None where there is none."""
    answer_bytes: int | None = None
    """Of the RAM, what the answers take; None where there are none."""


def build_project(
    project: Path,
    board: Board,
    system: System = "platformio",
    *,
    program: Program = "firmware",
    emulated: Board | None = None,
    compiler: str = DEFAULT,
    progress: Callable[[str], None] = lambda _: None,
    time_limit: float = TIME_LIMIT,
) -> Firmware:
    """Build the generated project in `project` for `board`, or for what is emulated in its place.

    `emulated` is which of those, by default the first.  The framework of a real board is never
    needed: `build_for_real_board` is for that.
    `program` "minimal" is the smallest program around the model (initialisation and one inference,
    no input or output): what the model itself costs.

    Raises ToolMissingError, BuildError with the first errors, or DoesNotFitError with the numbers.
    """
    started = time.monotonic()
    folder = project.resolve()
    manifest = read_manifest(folder)
    if (made_for := manifest.board) != board.id:
        raise InputError(
            f"{project}: was generated for board '{made_for}', not for '{board.id}'",
            hint=f"use --board {made_for}, or generate it again for {board.id}",
        )
    if bad := sorted(set(str(folder)) & _BREAK_BUILD_SYSTEMS):
        raise InputError(
            f"{folder}: build systems cannot work in a path with {' or '.join(map(repr, bad))}",
            hint="move the project to another directory",
        )
    choices = emulated_boards(board)
    emulated = emulated or choices[0]
    assert emulated in choices, f"{emulated.id} is not in a project of {board.id}"
    if emulated != board:
        progress(f"building for {emulated.id}, which is emulated in place of {board.id}")
    found = find_compiler(compiler)
    tflm = require_tflm(emulated.core, folder) if manifest.engine == "tflm" else None
    if tflm and manifest.tflm and tflm.is_another(manifest.tflm):
        progress("TensorFlow Lite Micro is another one than when the project was generated")
    elf = DRIVERS[system](
        folder,
        emulated,
        program=program,
        compiler=found,
        variables=tflm.variables if tflm else {},
        progress=progress,
        time_limit=time_limit,
    )
    facts = elf_facts(elf, emulated)
    bound = stack_bound(disassemble(elf, found), MODEL_FUNCTION)
    return Firmware(
        elf,
        emulated,
        facts,
        system,
        found,
        time.monotonic() - started,
        bound,
        tflm,
        features_bytes=manifest.features_ram_bytes if program == "firmware" else None,
        answer_bytes=manifest.answer_ram_bytes if program == "firmware" else None,
    )
