"""A board on a pseudo-terminal: a port that can be unplugged, and has the same name afterwards."""

from __future__ import annotations

import errno
import os
import pty
import select
import time
import tty
from pathlib import Path
from threading import Thread

from tinyml_tool.devices.device import ByteStream
from tinyml_tool.errors import DeviceError


class PtyBoard:
    """The other end of `path`, which is a link to the terminal, as udev makes them."""

    def __init__(self, directory: Path, name: str = "ttyACM0") -> None:
        self.path = directory / name
        self._end = -1
        self.plug()

    def plug(self) -> None:
        self._end, port = pty.openpty()
        tty.setraw(port)
        self.path.symlink_to(os.ttyname(port))
        os.close(port)  # or this process would count as one that uses it

    def unplug(self) -> None:
        if self._end < 0:
            return
        self.path.unlink(missing_ok=True)
        end, self._end = self._end, -1
        os.close(end)

    def print(self, text: str) -> None:
        """Send lines as the firmware does, ends included."""
        self.send(text.replace("\n", "\r\n").encode())

    def send(self, data: bytes) -> None:
        os.write(self._end, data)

    def received(self, until: bytes, seconds: float = 5.0) -> bytes:
        """What the host has typed, at least up to `until`."""
        data, deadline = b"", time.monotonic() + seconds
        while until not in data:
            assert time.monotonic() < deadline, f"{until!r} did not come, only {data!r}"
            data += self._read()
        return data

    def _read(self) -> bytes:
        """What the host has sent within a moment; nothing while no program has the port open."""
        if select.select([self._end], (), (), 0.05)[0]:
            try:
                return os.read(self._end, 4096)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                time.sleep(0.01)
        return b""

    def join(self, stream: ByteStream) -> None:
        """Carry bytes between the port and a firmware that runs, until either ends."""
        for carry in (self._to_firmware, self._from_firmware):
            Thread(target=carry, args=(stream,), daemon=True).start()

    def _to_firmware(self, stream: ByteStream) -> None:
        try:
            while self._end >= 0:
                if data := self._read():
                    stream.write(data)
        except (OSError, ValueError, DeviceError):
            return

    def _from_firmware(self, stream: ByteStream) -> None:
        try:
            while self._end >= 0:
                os.write(self._end, stream.read(4096, 0.05))
        except (OSError, DeviceError):
            return
