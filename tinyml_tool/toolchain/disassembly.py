"""The instructions of a built Arm program, function by function, as objdump tells them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.errors import BuildError
from tinyml_tool.toolchain.compilers import Compiler

_SECONDS = 60.0
_FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t(\S+)(?:\t(.*?))?(?:\t?@.*)?$")
_TARGET = re.compile(r"\b([0-9a-f]+) <[^>]+>$")
_LITERAL = re.compile(r"@ \(([0-9a-f]+) <")


@dataclass(frozen=True)
class Instruction:
    """One line of a listing; a word of data has the mnemonic `.word`."""

    address: int
    mnemonic: str
    """Without `.w` and `.n`, which only tell how many bytes it takes."""
    operands: str
    target: int | None = None
    """Where a direct branch or call goes."""
    literal: int | None = None
    """The address of the constant that it reads beside the code."""


@dataclass(frozen=True)
class Function:
    """A function of the program, or what the symbol table takes for one."""

    name: str
    address: int
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Listing:
    """All functions by address."""

    functions: Mapping[int, Function]

    def named(self, name: str) -> Function | None:
        """The first function of that name."""
        return next((f for f in self.functions.values() if f.name == name), None)


def disassemble(elf: Path, compiler: Compiler) -> Listing:
    """The listing of a program that `compiler` made.

    Raises BuildError where its objdump is missing or does not understand the file.
    """
    program = compiler.program.with_name(compiler.program.name.removesuffix("gcc") + "objdump")
    text = _said_by([str(program), "--disassemble", "--no-show-raw-insn", str(elf)])
    if text is None:
        raise BuildError(
            f"{program.name} does not tell the instructions of {elf.name}",
            hint="it comes with the compiler, as a part of binutils for arm-none-eabi",
        )
    return parse_listing(text)


def _said_by(command: list[str]) -> str | None:
    try:
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None


def parse_listing(text: str) -> Listing:
    """What objdump printed."""
    functions: dict[int, Function] = {}
    name, address, found = "", 0, list[Instruction]()

    def close() -> None:
        if found:
            functions[address] = Function(name, address, tuple(found))

    for line in text.splitlines():
        if head := _FUNCTION.match(line):
            close()
            name, address, found = head[2], int(head[1], 16), []
        elif body := _INSTRUCTION.match(line):
            found.append(_instruction(body, line))
    close()
    return Listing(functions)


def _instruction(body: re.Match[str], line: str) -> Instruction:
    mnemonic = body[2].removesuffix(".w").removesuffix(".n")
    operands = (body[3] or "").strip()
    target = _TARGET.search(operands)
    literal = _LITERAL.search(line)
    return Instruction(
        int(body[1], 16),
        mnemonic,
        operands,
        int(target[1], 16) if target else None,
        int(literal[1], 16) if literal else None,
    )
