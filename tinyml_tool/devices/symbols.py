"""Addresses of a firmware to functions and lines, from the symbols and DWARF of its ELF file."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_PATH_PARTS = 3


@dataclass(frozen=True)
class _Function:
    start: int
    size: int
    name: str


@dataclass(frozen=True)
class _Row:
    """One row of a line table: code from `address` on, up to the next row."""

    address: int
    file: str
    line: int
    ends: bool


class Symbols:
    """The names of a firmware's code.  Everything it cannot tell is None or a plain address."""

    def __init__(self, elf: str | Path) -> None:
        """Remember the file; it is read when something is asked.  Never raises."""
        self._elf: Path | None = Path(elf)

    @classmethod
    def none(cls) -> Self:
        """Symbols of an unknown firmware."""
        symbols = cls("")
        symbols._elf = None
        return symbols

    def describe(self, address: int) -> str:
        """`layer_3() at lib/model/model.c:120`, or as much of it as is known."""
        function = self._function(address)
        if function is None:
            return f"0x{address:08x}"
        line = self._line(address)
        return f"{function.name}()" + (f" at {line}" if line else "")

    def call_before(self, return_address: int) -> str:
        """Describe the call that returns to `return_address` (its Thumb bit may be set)."""
        return self.describe((return_address & ~1) - 2)

    def is_return_address(self, word: int) -> bool:
        """Whether the instruction before `word` is a call; true where the code is not known."""
        if not self.knows_code:
            return True
        if not word & 1:
            return False
        address = word & ~1
        first, second = self.halfword(address - 4), self.halfword(address - 2)
        if second is None:
            return False
        branch_with_link = first is not None and first >> 11 == 0b11110 and second >> 14 == 0b11
        return (branch_with_link and bool(second >> 12 & 1)) or second & 0xFF87 == 0x4780

    @property
    def knows_code(self) -> bool:
        """Whether there is any code to look into."""
        return bool(self._functions)

    def has_code(self, address: int) -> bool:
        """Whether a function covers `address`."""
        return self._function(address) is not None

    def same_function(self, one: int, other: int) -> bool:
        """Whether one function covers both addresses."""
        function = self._function(one)
        return function is not None and function == self._function(other)

    def halfword(self, address: int) -> int | None:
        """The 16 bits at an even `address` of the image, if it is part of the file."""
        for start, data in self._content.segments:
            if start <= address and address + 2 <= start + len(data):
                return int.from_bytes(data[address - start : address - start + 2], "little")
        return None

    def value(self, name: str) -> int | None:
        """The value of a symbol, such as `port_stack_limit`."""
        return self._content.values.get(name)

    def distance(self, start: str, end: str) -> int:
        """Bytes between two symbols; 0 where one is not known."""
        low, high = self.value(start), self.value(end)
        return high - low if low is not None and high is not None else 0

    @property
    def _functions(self) -> list[_Function]:
        return self._content.functions

    def _function(self, address: int) -> _Function | None:
        index = bisect_right(self._functions, address, key=lambda function: function.start) - 1
        if index < 0:
            return None
        function = self._functions[index]
        return function if address < function.start + max(function.size, 2) else None

    def _line(self, address: int) -> str | None:
        if self._elf is None:
            return None
        try:
            with self._elf.open("rb") as stream:
                return _line_of(stream, address)
        except Exception:  # debug information of any compiler, damaged or not
            return None

    @cached_property
    def _content(self) -> _Content:
        if self._elf is None:
            return _Content([], {}, [])
        try:
            with self._elf.open("rb") as stream:
                return _read(stream)
        except Exception:  # a report without names is better than none
            return _Content([], {}, [])


@dataclass(frozen=True)
class _Content:
    functions: list[_Function]
    values: dict[str, int]
    segments: list[tuple[int, bytes]]


def _read(stream: IO[bytes]) -> _Content:
    elf = ELFFile(stream)
    functions: list[_Function] = []
    values: dict[str, int] = {}
    table = elf.get_section_by_name(".symtab")
    for symbol in table.iter_symbols() if isinstance(table, SymbolTableSection) else ():
        values[symbol.name] = symbol["st_value"]
        if symbol["st_info"]["type"] == "STT_FUNC":
            functions.append(_Function(symbol["st_value"] & ~1, symbol["st_size"], symbol.name))
    segments = [
        (segment["p_vaddr"], segment.data())
        for segment in elf.iter_segments()
        if segment["p_type"] == "PT_LOAD"
    ]
    return _Content(sorted(functions, key=lambda f: f.start), values, segments)


def _line_of(stream: IO[bytes], address: int) -> str | None:
    elf = ELFFile(stream)
    if not elf.has_dwarf_info():
        return None
    dwarf = elf.get_dwarf_info()
    for unit in _units(dwarf, address):
        rows = _rows(dwarf, unit)
        for row, following in pairwise(rows):
            if not row.ends and row.address <= address < following.address and row.line:
                return f"{row.file}:{row.line}"
    return None


def _units(dwarf: Any, address: int) -> list[Any]:  # noqa: ANN401 - pyelftools has no types
    """The compilation unit of `address` where the file says which, else all of them."""
    ranges = dwarf.get_aranges()
    offset = ranges.cu_offset_at_addr(address) if ranges else None
    if offset is not None:
        return [dwarf.get_CU_at(offset)]
    return list(dwarf.iter_CUs())


def _rows(dwarf: Any, unit: Any) -> list[_Row]:  # noqa: ANN401
    program = dwarf.line_program_for_CU(unit)
    if program is None:
        return []
    rows = []
    for entry in program.get_entries():
        state = entry.state
        if state is not None:
            file = _file_name(program, state.file)
            rows.append(_Row(state.address, file, state.line, state.end_sequence))
    return rows


def _file_name(program: Any, index: int) -> str:  # noqa: ANN401
    version = program["version"]
    files = program["file_entry"]
    position = index if version >= 5 else index - 1
    if not 0 <= position < len(files):
        return "?"
    file = files[position]
    directories = program["include_directory"]
    directory = file.dir_index if version >= 5 else file.dir_index - 1
    path = PurePosixPath(file.name.decode("utf-8", "replace"))
    if 0 <= directory < len(directories):
        path = PurePosixPath(directories[directory].decode("utf-8", "replace")) / path
    return _short(path)


def _short(path: PurePosixPath) -> str:
    """The end of a long path: `lib/model/model.c` wherever the project lies."""
    parts = [part for part in path.parts if part not in ("/", ".")]
    return "/".join(parts[-_PATH_PARTS:])
