"""A byte stream that tells how much went through it: for progress on a slow wire."""

from __future__ import annotations

from collections.abc import Callable

from tinyml_tool.devices.device import ByteStream


class MeteredStream:
    """Passes everything on to `stream`; implements `ByteStream`.

    `moved` is called with the number of bytes after each read and write that moved any.
    """

    def __init__(self, stream: ByteStream, moved: Callable[[int], None]) -> None:
        self._stream = stream
        self._moved = moved

    def read(self, max_bytes: int, timeout: float) -> bytes:
        """See ByteStream."""
        data = self._stream.read(max_bytes, timeout)
        if data:
            self._moved(len(data))
        return data

    def write(self, data: bytes) -> None:
        """See ByteStream."""
        self._stream.write(data)
        self._moved(len(data))

    def close(self) -> None:
        """See ByteStream."""
        self._stream.close()
