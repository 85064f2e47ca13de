"""A byte stream over a connected socket."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from tinyml_tool.devices.recording import Recording
from tinyml_tool.errors import DeviceError

_WRITE_SECONDS = 30.0


class SocketStream:
    """The serial port of an emulator.  Reading and writing may happen in two threads.

    `recording` holds what was read.
    """

    def __init__(self, connection: socket.socket, explain_end: Callable[[], DeviceError]) -> None:
        """`explain_end` tells, after a fault or once the other side has hung up, why."""
        self._connection = connection
        self._connection.setblocking(False)
        self._explain_end = explain_end
        self._closed = False
        self.recording = Recording()

    def read(self, max_bytes: int, timeout: float) -> bytes:
        """See ByteStream."""
        if self._closed:
            raise DeviceError("the connection to the device is closed")
        if self.recording.fault is not None:
            raise self._explain_end()
        if not self._ready(select.POLLIN, timeout):
            return b""
        try:
            data = self._connection.recv(max_bytes)
        except OSError:
            data = b""
        if not data:
            raise self._explain_end()
        self.recording.feed(data)
        return data

    def write(self, data: bytes) -> None:
        """See ByteStream."""
        if self._closed:
            raise DeviceError("the connection to the device is closed")
        left = memoryview(data)
        while left:
            if not self._ready(select.POLLOUT, _WRITE_SECONDS):
                raise DeviceError(
                    f"the device took {len(data) - len(left):,} of {len(data):,} bytes, "
                    f"then none for {_WRITE_SECONDS:.0f} s",
                    hint="the firmware may hang, or nobody reads what it sends",
                )
            try:
                left = left[self._connection.send(left) :]
            except OSError:
                raise self._explain_end() from None

    def _ready(self, event: int, timeout: float) -> bool:
        poll = select.poll()
        poll.register(self._connection, event)
        return bool(poll.poll(max(timeout, 0.0) * 1000))

    def close(self) -> None:
        """See ByteStream."""
        self._closed = True
        self._connection.close()
