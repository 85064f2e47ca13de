"""Listening to a device as long as one likes: through resets, pulled cables and new firmware."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.devices.faults import fault_error, parse_fault
from tinyml_tool.devices.inference_line import (
    ConsoleRun,
    DamagedInference,
    ReportedInference,
    parse_inference_line,
)
from tinyml_tool.devices.link.framing import Demultiplexer, Text
from tinyml_tool.devices.port_names import PortTarget, same_port
from tinyml_tool.devices.serial_port import SerialPortDevice, SerialStream
from tinyml_tool.devices.symbols import Symbols
from tinyml_tool.devices.text_lines import TextLines
from tinyml_tool.errors import DeviceError, DeviceFaultError, PortError

DEFAULT_BAUD = 115200

_READ_BYTES = 64 * 1024
_TRY_SECONDS = 0.25
_SILENCE_SECONDS = 1.0
"""After this, what was printed without an end of line counts as a line."""

_START_OF_TEXT = b"\0"
"""Ends a frame, or a line, that somebody else has begun."""


@dataclass(frozen=True)
class Opened:
    """The port is open, for the first time or again."""

    port: str


@dataclass(frozen=True)
class Lost:
    """The port is gone; it is tried again until it is back."""

    reason: str


@dataclass(frozen=True)
class Line:
    """A line of text that is no report."""

    text: str


@dataclass(frozen=True)
class Faulted:
    """The firmware stopped in a fault."""

    message: str
    hint: str | None
    details: tuple[str, ...]


Seen = Opened | Lost | Line | ReportedInference | DamagedInference | Faulted


class PortWatch:
    """Everything a device prints, sorted.  A context manager; not for several threads."""

    def __init__(
        self,
        target: PortTarget,
        *,
        baud: int | None = None,
        elf: Path | None = None,
        find_again: Callable[[PortTarget], PortTarget] = same_port,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`baud` and `elf` (to name the place of a fault) go before those of `target`."""
        self._target = target
        self._baud = baud
        self._elf = elf
        self._find_again = find_again
        self._clock = clock
        self._sleep = sleep
        self._stream: SerialStream | None = None
        self._next_try = 0.0
        self._forget()

    def open(self) -> Opened:
        """Open the port for the first time.  Raises PortError with what to do about it."""
        return self._open(self._target)

    def poll(self, timeout: float) -> list[Seen]:
        """What has happened, waiting at most `timeout` seconds for something."""
        if self._stream is None:
            return self._try_again(timeout)
        try:
            data = self._stream.read(_READ_BYTES, timeout)
        except DeviceFaultError:  # its line was seen
            return []
        except DeviceError as error:
            return self._lose(error)
        return self._sort(data)

    def send(self, line: str) -> bool:
        """Type a line to the firmware; False where the port is gone or nobody takes it."""
        if self._stream is None:
            return False
        try:
            self._stream.write(_START_OF_TEXT + line.encode() + b"\r")
        except DeviceError:
            return False
        return True

    def close(self) -> None:
        """Close the port.  May be called twice."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> PortWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, target: PortTarget) -> Opened:
        baud = self._baud or target.baud or DEFAULT_BAUD
        self._stream = SerialPortDevice(target.url, baud).start()
        self._target = target
        self._forget()
        return Opened(target.name)

    def _forget(self) -> None:
        self._demultiplexer = Demultiplexer()
        self._lines = TextLines()
        self._run = ConsoleRun()
        self._last_byte = self._clock()

    def _try_again(self, timeout: float) -> list[Seen]:
        now = self._clock()
        if now < self._next_try:
            self._sleep(min(timeout, self._next_try - now))
            return []
        self._next_try = now + _TRY_SECONDS
        try:
            return [self._open(self._find_again(self._target))]
        except PortError:
            return []

    def _lose(self, error: DeviceError) -> list[Seen]:
        self.close()
        self._next_try = self._clock() + _TRY_SECONDS
        rest = self._lines.flush()
        return [*self._judge(rest), Lost(error.message)]

    def _sort(self, data: bytes) -> list[Seen]:
        now = self._clock()
        seen: list[Seen] = []
        if data:
            self._last_byte = now
        elif self._lines.open_line and now - self._last_byte > _SILENCE_SECONDS:
            seen += self._judge(self._lines.flush())
        for item in self._demultiplexer.feed(data):
            if isinstance(item, Text):
                for line in self._lines.feed(item.data):
                    seen += self._judge(line)
        return seen

    def _judge(self, line: str) -> list[Seen]:
        if not line.strip():
            return []
        if report := parse_inference_line(line):
            return [report]
        fault = parse_fault(line)
        if fault is not None:
            elf = self._elf or self._target.elf
            error = fault_error(fault, Symbols(elf) if elf else None)
            return [Faulted(error.message, error.hint, error.details)]
        run = self._run.feed(line)
        return [Line(line), run] if run else [Line(line)]
