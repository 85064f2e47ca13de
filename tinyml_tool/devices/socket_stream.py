"""A byte stream over a connected socket, with the firmware's fault line watched for."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from threading import Lock

from tinyml_tool.devices.faults import FaultWatch
from tinyml_tool.errors import DeviceError

_WRITE_SECONDS = 30.0
_LOG_MAX = 64 * 1024


class SocketStream:
    """The serial port of an emulator.  Reading and writing may happen in two threads."""

    def __init__(self, connection: socket.socket, explain_end: Callable[[], DeviceError]) -> None:
        """`explain_end` tells, once the other side has hung up, why."""
        self._connection = connection
        self._connection.setblocking(False)
        self._explain_end = explain_end
        self._closed = False
        self._lock = Lock()
        self._received = bytearray()
        self.watch = FaultWatch()

    @property
    def received(self) -> bytes:
        """The last 64 KB that were read."""
        with self._lock:
            return bytes(self._received)

    def read(self, max_bytes: int, timeout: float) -> bytes:
        """See ByteStream."""
        if self._closed:
            raise DeviceError("the connection to the device is closed")
        if not select.select([self._connection], [], [], max(timeout, 0.0))[0]:
            return b""
        try:
            data = self._connection.recv(max_bytes)
        except (ConnectionError, OSError):
            data = b""
        if not data:
            raise self._explain_end()
        self.watch.feed(data)
        with self._lock:
            self._received += data
            del self._received[:-_LOG_MAX]
        return data

    def write(self, data: bytes) -> None:
        """See ByteStream."""
        if self._closed:
            raise DeviceError("the connection to the device is closed")
        left = memoryview(data)
        while left:
            if not select.select([], [self._connection], [], _WRITE_SECONDS)[1]:
                raise DeviceError(
                    f"the device took {len(data) - len(left):,} of {len(data):,} bytes, "
                    f"then none for {_WRITE_SECONDS:.0f} s",
                    hint="the firmware may hang, or nobody reads what it sends",
                )
            try:
                left = left[self._connection.send(left) :]
            except OSError:
                raise self._explain_end() from None

    def close(self) -> None:
        """See ByteStream."""
        self._closed = True
        self._connection.close()


def readable_lines(data: bytes) -> str:
    """The lines of text within a stream that also carries binary frames."""
    lines = data.decode("ascii", "replace").replace("\r", "").split("\n")
    return "\n".join(line for line in lines if line and line.isprintable() and line.isascii())
