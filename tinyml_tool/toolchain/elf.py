"""Facts of a built program, read from its ELF file: flash, RAM, stack, arena, symbols."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tinyml_tool.boards import Board, MemoryRegion, RamRegion
from tinyml_tool.compiler.regions import RegionUse
from tinyml_tool.errors import BuildError

ARENA_SYMBOLS = ("model_arena", "arena")
STACK_SECTION = ".stack"

_ALLOCATED, _NO_BITS = 0x2, "SHT_NOBITS"


@dataclass(frozen=True)
class Section:
    """A section that takes memory on the board; addresses and sizes in bytes."""

    name: str
    address: int
    bytes: int
    in_flash: bool
    in_ram: bool


@dataclass(frozen=True)
class Symbol:
    """A function or variable; `address` without the Thumb bit."""

    name: str
    address: int
    bytes: int
    section: str
    is_function: bool


@dataclass(frozen=True)
class ElfFacts:
    """What a program takes of a board's memory, in bytes.

    `flash_bytes`: code, constants and the start values of variables.  `ram_bytes`: all static
    data with the stack's reserve; `arena_bytes` and `stack_bytes` are parts of it.
    """

    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    stack_bytes: int
    entry: int
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    sha256: str
    regions: tuple[RegionUse, ...] = ()
    """What lies in each region of RAM; none for boards with one piece of RAM."""

    def symbol(self, name: str) -> Symbol | None:
        """The first symbol of that name, or None."""
        return next((symbol for symbol in self.symbols if symbol.name == name), None)


def elf_facts(path: Path, board: Board) -> ElfFacts:
    """Read the ELF file at `path`, which was linked for `board`.

    Raises BuildError where it is no sound 32-bit little-endian Arm program, or where a part of it
    lies outside the board's memory.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BuildError(f"{path}: cannot be read: {error.strerror}") from None
    facts: ElfFacts = _guarded(path, lambda: _facts(ELFFile(BytesIO(content)), board, content))
    return facts


def _guarded(path: Path, read: Callable[[], Any]) -> Any:  # noqa: ANN401
    """What `read` returns; the parser reports damage by exceptions of many kinds."""
    try:
        return read()
    except _UnsoundError as error:
        cause = str(error)
    except Exception as error:
        cause = f"damaged ({type(error).__name__}: {error})"
    raise BuildError(f"{path}: not a usable firmware: {cause}", hint="build the project again")


class _UnsoundError(Exception):
    """The file is an ELF file, but not firmware for the board."""


def _facts(elf: ELFFile, board: Board, content: bytes) -> ElfFacts:
    header = elf.header
    if header["e_machine"] != "EM_ARM" or elf.elfclass != 32 or not elf.little_endian:
        raise _UnsoundError("it is not a 32-bit little-endian Arm program")
    if header["e_type"] != "ET_EXEC":
        raise _UnsoundError("it is not an executable program")
    sections = tuple(_sections(elf, board, len(content)))
    symbols = tuple(_symbols(elf))
    arenas = [s.bytes for s in symbols if s.name in ARENA_SYMBOLS and not s.is_function]
    return ElfFacts(
        flash_bytes=sum(s.bytes for s in sections if s.in_flash),
        ram_bytes=sum(s.bytes for s in sections if s.in_ram),
        arena_bytes=max(arenas, default=0),
        stack_bytes=sum(s.bytes for s in sections if s.name == STACK_SECTION),
        entry=header["e_entry"],
        sections=sections,
        symbols=symbols,
        sha256=hashlib.sha256(content).hexdigest(),
        regions=tuple(_use(region, sections) for region in board.memory.regions),
    )


def _use(region: RamRegion, sections: tuple[Section, ...]) -> RegionUse:
    inside = [s.bytes for s in sections if _inside(s.address, s.bytes, region)]
    return RegionUse(region.name, sum(inside), region.size)


def _sections(elf: ELFFile, board: Board, file_bytes: int) -> list[Section]:
    found = []
    for section in elf.iter_sections():
        if not section["sh_flags"] & _ALLOCATED or section["sh_size"] == 0:
            continue
        address, size = section["sh_addr"], section["sh_size"]
        stored = section["sh_type"] != _NO_BITS
        if stored and section["sh_offset"] + size > file_bytes:
            raise _UnsoundError(f"section {section.name} ends outside the file")
        memory = board.memory
        in_ram = any(_inside(address, size, r) for r in (memory.ram, *memory.regions))
        in_flash = _inside(address, size, board.memory.flash)
        if not (in_ram or in_flash):
            raise _UnsoundError(
                f"section {section.name} ({size:,} bytes at 0x{address:08X}) lies outside the "
                f"memory of {board.id}"
            )
        found.append(Section(section.name, address, size, in_flash or stored, in_ram))
    if not found:
        raise _UnsoundError("it has no code")
    return found


def _inside(address: int, size: int, region: MemoryRegion) -> bool:
    return region.origin <= address and address + size <= region.origin + region.size


def _symbols(elf: ELFFile) -> list[Symbol]:
    table = elf.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        return []
    found = []
    for symbol in table.iter_symbols():
        kind = symbol["st_info"]["type"]
        if kind not in ("STT_FUNC", "STT_OBJECT") or not isinstance(symbol["st_shndx"], int):
            continue
        is_function = kind == "STT_FUNC"
        found.append(
            Symbol(
                name=symbol.name,
                address=symbol["st_value"] & ~1 if is_function else symbol["st_value"],
                bytes=symbol["st_size"],
                section=elf.get_section(symbol["st_shndx"]).name,
                is_function=is_function,
            )
        )
    return sorted(found, key=lambda s: (s.address, s.name))
