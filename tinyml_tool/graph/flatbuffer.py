"""Verifies the structure of a FlatBuffer before anything reads it.

The Python flatbuffers package follows every offset blindly, so a hostile or damaged file makes its
accessors read wrong bytes, fail deep inside, or loop for hours. `verify` walks the tables that a
`TableType` describes and proves that every offset, vtable, vector, string and union member that an
accessor may touch lies inside the file, and that reading it all takes bounded time and memory.
Fields the description leaves out are neither verified nor to be read.

Format: https://flatbuffers.dev/internals
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

MAX_TABLES = 50_000
MAX_BYTES = 16 << 20
"""Bytes of tables, strings and vectors together; vectors of bytes (weights) do not count."""

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")

_OFFSET_BYTES = 4


@dataclass(frozen=True)
class Scalar:
    """A number stored inside the table, `bytes` wide."""

    bytes: int


@dataclass(frozen=True)
class String:
    """A length, text and a NUL."""


@dataclass(frozen=True)
class ScalarVector:
    """A vector of numbers, each `bytes` wide; more than `most` of them make no sense."""

    bytes: int
    most: int | None = None


@dataclass(frozen=True)
class TableVector:
    """A vector of offsets to tables of one type."""

    table: TableType


@dataclass(frozen=True)
class Union:
    """An offset to a table whose type the byte in field `selector` chooses.

    The selector is a field of the same table with a lower slot, listed before the union. Members
    that are not listed are not verified.
    """

    selector: int
    members: Mapping[int, TableType]


FieldType: TypeAlias = "Scalar | String | ScalarVector | TableVector | Union | TableType"


@dataclass(frozen=True)
class TableType:
    """What a table holds: fields by slot, with their names; verified in this order."""

    name: str
    fields: tuple[tuple[int, str, FieldType], ...] = field(default=())


class FlatbufferError(ValueError):
    """The bytes are not a well-formed FlatBuffer of the type.

    `path` names the part, e.g. ("subgraphs", 0, "tensors", 3, "shape"); `needed` is the byte range
    [first, last) that the part occupies where that reaches outside the file.
    """

    def __init__(
        self, path: tuple[str | int, ...], cause: str, needed: tuple[int, int] | None = None
    ) -> None:
        super().__init__(cause)
        self.path = path
        self.cause = cause
        self.needed = needed


def verify(data: bytes, root: TableType) -> None:
    """Prove that `data` is a FlatBuffer of type `root`. Raises FlatbufferError."""
    walker = _Walker(data)
    walker.inside((), 0, 8)
    walker.table((), _U32.unpack_from(data, 0)[0], root)


class _Walker:
    """Walks down the tables. The depth is that of the description, which has no recursive type."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._size = len(data)
        self._tables = 0
        self._bytes = 0

    def inside(self, path: tuple[str | int, ...], first: int, count: int) -> None:
        """Check that `count` bytes from `first` lie in the file."""
        if first < 0 or first + count > self._size:
            raise FlatbufferError(path, "reaches outside the file", (first, first + count))

    def table(self, path: tuple[str | int, ...], position: int, kind: TableType) -> None:
        self._aligned(path, position, 4)
        self.inside(path, position, 4)
        self._tables += 1
        if self._tables > MAX_TABLES:
            raise FlatbufferError(path, f"is one of more than {MAX_TABLES} tables")
        vtable = position - _I32.unpack_from(self._data, position)[0]
        self._aligned((*path, "vtable"), vtable, 2)
        self.inside((*path, "vtable"), vtable, 4)
        vtable_size = self._u16(vtable)
        table_size = self._u16(vtable + 2)
        if vtable_size < 4 or vtable_size % 2 or table_size < 4:
            raise FlatbufferError(path, f"has a broken vtable at byte {vtable}")
        self.inside((*path, "vtable"), vtable, vtable_size)
        self.inside(path, position, table_size)
        self._count(path, table_size)
        for slot, name, kind_of_field in kind.fields:
            offset = self._field(vtable, vtable_size, slot)
            if not offset:
                continue
            if offset + _inline_bytes(kind_of_field) > table_size:
                raise FlatbufferError((*path, name), f"lies outside its table at byte {position}")
            if isinstance(kind_of_field, Union):
                # The selector's own place was verified before: its slot comes first.
                selector = self._field(vtable, vtable_size, kind_of_field.selector)
                chosen = self._data[position + selector] if selector else 0
                member = kind_of_field.members.get(chosen)
                if member is not None:
                    self._referred((*path, name), position + offset, member)
            elif not isinstance(kind_of_field, Scalar):
                self._referred((*path, name), position + offset, kind_of_field)

    def _referred(self, path: tuple[str | int, ...], place: int, kind: FieldType) -> None:
        target = self._follow(path, place)
        if isinstance(kind, TableType):
            self.table(path, target, kind)
        elif isinstance(kind, String):
            self._string(path, target)
        elif isinstance(kind, ScalarVector):
            length = self._vector(path, target, kind.bytes)
            if kind.most is not None and length > kind.most:
                raise FlatbufferError(path, f"has {length} elements, at most {kind.most} are sane")
            if kind.bytes > 1:
                self._count(path, length * kind.bytes)
        elif isinstance(kind, TableVector):
            length = self._vector(path, target, _OFFSET_BYTES)
            self._count(path, length * _OFFSET_BYTES)
            for index in range(length):
                place = target + 4 + index * _OFFSET_BYTES
                element = (*path, index)
                self.table(element, self._follow(element, place), kind.table)

    def _string(self, path: tuple[str | int, ...], position: int) -> None:
        length = self._vector(path, position, 1)
        self._count(path, length)
        end = position + 4 + length
        self.inside(path, end, 1)
        if self._data[end]:
            raise FlatbufferError(path, f"is text without an end at byte {end}")

    def _vector(self, path: tuple[str | int, ...], position: int, element_bytes: int) -> int:
        """Check the vector at `position`; return its number of elements."""
        self._aligned(path, position, 4)
        self.inside(path, position, 4)
        length: int = _U32.unpack_from(self._data, position)[0]
        self.inside(path, position + 4, length * element_bytes)
        return length

    def _follow(self, path: tuple[str | int, ...], place: int) -> int:
        """The target of the offset stored at `place`, which lies inside the file."""
        offset: int = _U32.unpack_from(self._data, place)[0]
        if offset == 0:
            raise FlatbufferError(path, f"refers to itself at byte {place}")
        return place + offset

    def _field(self, vtable: int, vtable_size: int, slot: int) -> int:
        """Offset of a field in its table; 0 where the field is absent."""
        entry = 4 + 2 * slot
        return self._u16(vtable + entry) if entry < vtable_size else 0

    def _u16(self, place: int) -> int:
        value: int = _U16.unpack_from(self._data, place)[0]
        return value

    def _aligned(self, path: tuple[str | int, ...], place: int, alignment: int) -> None:
        if place % alignment:
            raise FlatbufferError(path, f"lies at byte {place}, not a multiple of {alignment}")

    def _count(self, path: tuple[str | int, ...], count: int) -> None:
        self._bytes += count
        if self._bytes > MAX_BYTES:
            raise FlatbufferError(path, f"brings the structure to more than {MAX_BYTES} bytes")


def _inline_bytes(kind: FieldType) -> int:
    return kind.bytes if isinstance(kind, Scalar) else _OFFSET_BYTES
