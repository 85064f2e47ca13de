"""Named pieces of metadata in a `.tflite`: read, or added without touching anything else.

A FlatBuffer refers to its parts by offsets that only point forwards, from their own place. So a new
root table before the old file can refer to all that is in it, and the old bytes stay as they are,
moved by a multiple of the largest alignment.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph import tflite_schema
from tinyml_tool.graph.flatbuffer import FlatbufferError, verify
from tinyml_tool.graph.invalid_file import check_identifier, damaged

_ALIGNMENT = 64
"""No part of a `.tflite` needs a larger one; weights have 16."""

_BUFFERS_SLOT, _METADATA_SLOT = 4, 6
_SAME_SLOTS = (1, 2, 3, 5, 7)
"""Offsets that the new root table takes over: all but version, buffers and metadata."""


def read_metadata(data: bytes, name: str, source: str) -> bytes | None:
    """The content of the metadata `name` of a model in memory; None where there is none.

    Raises InvalidModelError where the file is damaged.
    """
    model = _verified(data, source)
    wanted = name.encode()
    for position in range(model.MetadataLength()):
        entry = model.Metadata(position)
        if entry.Name() != wanted:
            continue
        if entry.Buffer() >= model.BuffersLength():
            raise InvalidModelError(
                f"{source}: metadata '{name}' is in buffer {entry.Buffer()}, but there are "
                f"{model.BuffersLength()}",
                hint="copy or convert the model again",
            )
        buffer = model.Buffers(entry.Buffer())
        return bytes(buffer.DataAsNumpy()) if buffer.DataLength() else b""
    return None


def with_metadata(data: bytes, name: str, content: bytes, source: str) -> bytes:
    """The model with `content` as its metadata `name`; all else is byte for byte the same.

    A model that has just this already is returned unchanged.  Raises InvalidModelError where the
    file is damaged, or keeps weights behind the FlatBuffer, where they would have to move.
    """
    if read_metadata(data, name, source) == content:
        return data
    model = _verified(data, source)
    for position in range(model.BuffersLength()):
        if model.Buffers(position).Offset() > 1:
            raise InvalidModelError(
                f"{source}: keeps weights outside its FlatBuffer, so metadata cannot be added",
                hint="convert the model again, to less than 2 GB",
            )
    head = _Head(data, model)
    return head.build(name.encode(), content) + data


def _verified(data: bytes, source: str) -> schema.Model:
    check_identifier(data, source)
    try:
        verify(data, tflite_schema.MODEL)
    except FlatbufferError as error:
        raise damaged(data, source, error) from None
    return schema.Model.GetRootAs(data, 0)


@dataclass(frozen=True)
class _Head:
    """What is put before the bytes `data` of a sound model."""

    data: bytes
    model: schema.Model

    def build(self, name: bytes, content: bytes) -> bytes:
        """The new root, its lists, and what is new in them; a multiple of the alignment long."""
        buffers = [self._element(_BUFFERS_SLOT, i) for i in range(self.model.BuffersLength())]
        kept = [
            self._element(_METADATA_SLOT, i)
            for i in range(self.model.MetadataLength())
            if self.model.Metadata(i).Name() != name
        ]
        writer = _Writer(old=-1)
        size = len(self._write(writer, buffers, kept, name, content))
        total = -(-size // _ALIGNMENT) * _ALIGNMENT
        head = self._write(_Writer(old=total), buffers, kept, name, content)
        return head + bytes(total - size)

    def _write(
        self, writer: _Writer, buffers: list[int], kept: list[int], name: bytes, content: bytes
    ) -> bytes:
        writer.bytes += struct.pack("<I4s", 0, tflite_schema.FILE_IDENTIFIER)
        slots = tflite_schema.MODEL_SLOTS
        fields = {0: "value", _BUFFERS_SLOT: "new", _METADATA_SLOT: "new"}
        fields |= {slot: "old" for slot in _SAME_SLOTS if self._field(slot)}
        places = {slot: 4 + 4 * number for number, slot in enumerate(sorted(fields))}
        vtable = writer.position
        table_bytes = 4 + 4 * len(fields)
        entries = [places.get(slot, 0) for slot in range(slots)]
        writer.bytes += struct.pack(f"<HH{slots}H", 4 + 2 * slots, table_bytes, *entries)
        writer.align(4)
        root = writer.position
        writer.bytes += struct.pack("<i", root - vtable) + bytes(table_bytes - 4)
        struct.pack_into("<I", writer.bytes, 0, root)
        struct.pack_into("<I", writer.bytes, root + places[0], self.model.Version())
        for slot, kind in fields.items():
            if kind == "old":
                writer.point_to_old(root + places[slot], self._target(slot))
        new_buffer = writer.offsets(root + places[_BUFFERS_SLOT], buffers)
        new_entry = writer.offsets(root + places[_METADATA_SLOT], kept)
        writer.metadata(new_entry, name, len(buffers))
        writer.buffer(new_buffer, content)
        return bytes(writer.bytes)

    def _u(self, kind: str, place: int) -> int:
        value: int = struct.unpack_from(f"<{kind}", self.data, place)[0]
        return value

    def _field(self, slot: int) -> int:
        """Place of a field of the old root table; 0 where it is absent."""
        root = self._u("I", 0)
        vtable = root - self._u("i", root)
        entry = 4 + 2 * slot
        offset = self._u("H", vtable + entry) if entry < self._u("H", vtable) else 0
        return root + offset if offset else 0

    def _target(self, slot: int) -> int:
        place = self._field(slot)
        return place + self._u("I", place)

    def _element(self, slot: int, index: int) -> int:
        """Place of a table that a list of the old root refers to."""
        place = self._target(slot) + 4 + 4 * index
        return place + self._u("I", place)


class _Writer:
    """Bytes of the head.  `old` is where the old file will start."""

    def __init__(self, old: int) -> None:
        self.bytes = bytearray()
        self._old = old

    @property
    def position(self) -> int:
        """Where the next byte goes."""
        return len(self.bytes)

    def align(self, alignment: int) -> None:
        """Fill up with zeros."""
        self.bytes += bytes(-self.position % alignment)

    def point(self, place: int, target: int) -> None:
        """Let the offset at `place` refer to `target`."""
        struct.pack_into("<I", self.bytes, place, target - place)

    def point_to_old(self, place: int, target: int) -> None:
        """Let the offset at `place` refer to a place of the old file; a trial run knows none."""
        if self._old >= 0:
            self.point(place, self._old + target)

    def offsets(self, reference: int, old: list[int]) -> int:
        """A list of the old tables and one new; returns the place of the new one's offset."""
        self.align(4)
        self.point(reference, self.position)
        self.bytes += struct.pack("<I", len(old) + 1)
        for target in old:
            self.bytes += bytes(4)
            self.point_to_old(self.position - 4, target)
        self.bytes += bytes(4)
        return self.position - 4

    def metadata(self, reference: int, name: bytes, buffer: int) -> None:
        """A table Metadata: name and number of the buffer."""
        table = self._table(reference, [4, 8])
        struct.pack_into("<I", self.bytes, table + 8, buffer)
        self.point(table + 4, self.position)
        self.bytes += struct.pack("<I", len(name)) + name + b"\0"

    def buffer(self, reference: int, content: bytes) -> None:
        """A table Buffer with its data at a multiple of 16, as the schema wants it."""
        table = self._table(reference, [4])
        self.bytes += bytes(-(self.position + 4) % 16)
        self.point(table + 4, self.position)
        self.bytes += struct.pack("<I", len(content)) + content

    def _table(self, reference: int, places: list[int]) -> int:
        """A table whose fields of 4 bytes lie at `places`; returns its place."""
        self.align(4)
        size = 4 + 4 * len(places)
        vtable = self.position
        self.bytes += struct.pack(f"<HH{len(places)}H", 4 + 2 * len(places), size, *places)
        self.align(4)
        table = self.position
        self.bytes += struct.pack("<i", table - vtable) + bytes(size - 4)
        self.point(reference, table)
        return table
