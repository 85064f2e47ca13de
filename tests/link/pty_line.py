"""A serial port with a device behind it: a pseudo-terminal at one end, a byte stream at the other.

What a user's program opens by its name; as slow as a real line, if it has a baud rate.
"""

from __future__ import annotations

import os
import pty
import select
import time
import tty
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Self

from tinyml_tool.devices.device import ByteStream
from tinyml_tool.devices.link.framing import Damaged, Demultiplexer, Frame
from tinyml_tool.errors import DeviceError

_POLL_SECONDS = 0.001
_BITS_A_BYTE = 10
"""With start and stop bit."""


class _Wire:
    """One direction: gives out bytes no faster than they would travel."""

    def __init__(self, bytes_a_second: float | None) -> None:
        self._rate = bytes_a_second
        self._travelling = bytearray()
        self._since = 0.0

    def put(self, data: bytes) -> None:
        if not self._travelling:
            self._since = time.monotonic()
        self._travelling += data

    def take(self) -> bytes:
        count = len(self._travelling)
        if self._rate is not None:
            count = min(count, int((time.monotonic() - self._since) * self._rate))
            self._since += count / self._rate
        data = bytes(self._travelling[:count])
        del self._travelling[:count]
        return data


@dataclass
class Traffic:
    """What the program at the port did, seen before any fault of the line."""

    requests: int = 0
    sent_again: int = 0
    """Frames, beside the first of each request."""
    recoveries: int = 0
    """Requests that were sent again, and after which the conversation went on."""
    damaged: int = 0
    """Frames of the device that arrive damaged at the program."""
    to_device: int = 0
    """Bytes."""
    to_host: int = 0
    _last: tuple[int, int] | None = field(default=None, repr=False)
    _struggles: bool = field(default=False, repr=False)

    def count(self, frame: Frame) -> None:
        """Take account of a frame of the program."""
        this = (frame.header.session, frame.header.sequence)
        if this == self._last:
            self.sent_again += 1
            self._struggles = True
            return
        self.requests += 1
        self.recoveries += self._struggles
        self._struggles = False
        self._last = this


class PtyLine:
    """Runs between `start` (or entering it) and `close`; then the device is closed, too."""

    def __init__(self, device: ByteStream, baud: int | None = None) -> None:
        rate = baud / _BITS_A_BYTE if baud is not None else None
        self.traffic = Traffic()
        self.failure: Exception | None = None
        self._device = device
        self._to_device, self._to_host = _Wire(rate), _Wire(rate)
        self._watched, self._watched_back = Demultiplexer(), Demultiplexer()
        self._ours, self._port = pty.openpty()
        tty.setraw(self._port)  # kept open: otherwise reading fails while no program has it open
        self.name = os.ttyname(self._port)
        self._over = Event()
        self._thread = Thread(target=self._run, name=f"line of {self.name}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        os.close(self._port)
        os.close(self._ours)
        self._device.close()

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self._pass_on()
        except DeviceError as error:  # the device ended: silence from now on
            self.failure = error

    def _pass_on(self) -> None:
        if select.select([self._ours], [], [], 0)[0]:
            data = os.read(self._ours, 65536)
            self._watch(data)
            self._to_device.put(data)
        if data := self._to_device.take():
            self._device.write(data)
        if data := self._device.read(65536, _POLL_SECONDS):
            self._watch_back(data)
            self._to_host.put(data)
        if data := self._to_host.take():
            self._write(data)

    def _write(self, data: bytes) -> None:
        while data and not self._over.is_set():
            if select.select([], [self._ours], [], 0.1)[1]:
                data = data[os.write(self._ours, data) :]

    def _watch(self, data: bytes) -> None:
        self.traffic.to_device += len(data)
        for item in self._watched.feed(data):
            if isinstance(item, Frame):
                self.traffic.count(item)

    def _watch_back(self, data: bytes) -> None:
        self.traffic.to_host += len(data)
        received = self._watched_back.feed(data)
        self.traffic.damaged += sum(isinstance(item, Damaged) for item in received)
