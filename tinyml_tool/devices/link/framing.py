"""Frames and text on one byte stream: 00, COBS(header, payload, CRC-32), 00 between the lines.

The device's twin is `firmware_templates/link/tinyml_frame.c`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tinyml_tool.protocol import (
    CRC_BYTES,
    HEADER_BYTES,
    MARKER,
    PAYLOAD_BYTES_MAX,
    Header,
    decode,
    encode,
)

_LONGEST_BLOCK = 254
_EDGE = b"\0"
_START = bytes((2, MARKER))
"""What follows a 0 on the wire where a frame begins: the code of `marker, zero`, and the marker."""

_LONGEST_BODY = 2 + (HEADER_BYTES + PAYLOAD_BYTES_MAX + CRC_BYTES) * 255 // 254


@dataclass(frozen=True)
class Frame:
    """A frame with a right CRC."""

    header: Header
    payload: bytes


@dataclass(frozen=True)
class Damaged:
    """A frame that is wrong, `bytes` long on the wire."""

    bytes: int


@dataclass(frozen=True)
class Text:
    """Bytes outside frames: what the firmware prints."""

    data: bytes


Received = Frame | Damaged | Text


def cobs_encode(data: bytes) -> bytes:
    """`data` without any 0: each 0 becomes the distance to the next one.

    >>> cobs_encode(bytes([1, 0, 2])).hex()
    '02010202'
    """
    encoded = bytearray()
    pieces = data.split(_EDGE)
    for number, piece in enumerate(pieces, start=1):
        rest = piece
        while len(rest) >= _LONGEST_BLOCK:
            encoded.append(_LONGEST_BLOCK + 1)
            encoded += rest[:_LONGEST_BLOCK]
            rest = rest[_LONGEST_BLOCK:]
        if rest or number < len(pieces) or len(piece) == 0:
            encoded.append(len(rest) + 1)
            encoded += rest
    return bytes(encoded)


def cobs_decode(encoded: bytes) -> bytes:
    """What `cobs_encode` was given.  Raises ValueError where a block is cut off or holds a 0."""
    data = bytearray()
    position = 0
    while position < len(encoded):
        code = encoded[position]
        block = encoded[position + 1 : position + code]
        if code == 0 or len(block) != code - 1 or _EDGE in block:
            raise ValueError(f"no COBS block at byte {position}")
        data += block
        position += code
        if code <= _LONGEST_BLOCK and position < len(encoded):
            data.append(0)
    return bytes(data)


def encode_frame(header: Header, payload: bytes) -> bytes:
    """The bytes of a frame, its edges included."""
    body = encode(header) + payload
    crc = zlib.crc32(body).to_bytes(CRC_BYTES, "little")
    return _EDGE + cobs_encode(body + crc) + _EDGE


def _decode_body(encoded: bytes) -> Frame | Damaged:
    damaged = Damaged(len(encoded))
    try:
        body = cobs_decode(encoded)
    except ValueError:
        return damaged
    covered, crc = body[:-CRC_BYTES], body[-CRC_BYTES:]
    if len(covered) < HEADER_BYTES or zlib.crc32(covered) != int.from_bytes(crc, "little"):
        return damaged
    header = decode(Header, covered[:HEADER_BYTES])
    return Frame(header, covered[HEADER_BYTES:])


class Demultiplexer:
    """Sorts a byte stream into frames and text, however it is cut into pieces."""

    def __init__(self) -> None:
        self._waiting = b""
        self._after_edge = False

    @property
    def in_frame(self) -> bool:
        """Whether a frame has begun and its end is missing."""
        return self._after_edge and self._waiting.startswith(_START)

    def feed(self, data: bytes) -> list[Received]:
        """What `data` completes, in the order of the stream."""
        self._waiting += data
        return list(self._take_all())

    def _take_all(self) -> Iterator[Received]:
        while self._waiting:
            if not self._after_edge:
                yield from self._take_text()
            elif self._waiting.startswith(_EDGE):
                self._waiting = self._waiting[1:]
            elif self._waiting.startswith(_START):
                end = self._waiting.find(_EDGE, 0, _LONGEST_BODY + 1)
                if end < 0 and len(self._waiting) <= _LONGEST_BODY:
                    return
                yield self._take_body(end)
            elif _START.startswith(self._waiting):
                return
            else:
                self._waiting = self._waiting.removeprefix(_START[:1])
                self._after_edge = False

    def _take_text(self) -> Iterator[Text]:
        text, edge, rest = self._waiting.partition(_EDGE)
        self._waiting = rest
        self._after_edge = bool(edge)
        if text:
            yield Text(text)

    def _take_body(self, end: int) -> Frame | Damaged:
        """`end` is negative where the frame is longer than any: what follows is text."""
        if end < 0:
            body, self._waiting = self._waiting[:_LONGEST_BODY], self._waiting[_LONGEST_BODY:]
            self._after_edge = False
            return Damaged(len(body))
        body, self._waiting = self._waiting[:end], self._waiting[end + 1 :]
        return _decode_body(body)
