"""Real boards, and anything else behind a pyserial URL: /dev/ttyACM0, socket://host:port, a pty."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import serial

from tinyml_tool.devices.device import Ending
from tinyml_tool.devices.faults import fault_error
from tinyml_tool.devices.port_access import access_of
from tinyml_tool.devices.port_holders import Holder, holders_of
from tinyml_tool.devices.recording import Recording
from tinyml_tool.devices.symbols import Symbols
from tinyml_tool.errors import DeviceError, DeviceFaultError, PortError

_WRITE_SECONDS = 30.0


class SerialStream:
    """An open port as a ByteStream."""

    def __init__(self, port: Any, name: str, elf: Path | None) -> None:  # noqa: ANN401 - no types
        self._port = port
        self._name = name
        self._elf = elf
        self._told = False
        self.recording = Recording()

    def read(self, max_bytes: int, timeout: float) -> bytes:
        """See ByteStream.  A fault is raised once: the board restarts after it."""
        fault = self.recording.fault
        if fault is not None and not self._told:
            self._told = True
            found = fault_error(fault, Symbols(self._elf) if self._elf else None)
            raise DeviceFaultError(
                f"{self._name}: {found.message}", hint=found.hint, details=found.details
            )
        self._check_open()
        try:
            self._port.timeout = max(timeout, 0.0)
            data: bytes = self._port.read(1)
        except (OSError, TypeError) as error:  # TypeError: closed by another thread meanwhile
            raise _gone(self._name, error) from None
        if data and max_bytes > 1:
            self._port.timeout = 0
            with contextlib.suppress(OSError):  # the next call raises it, after these bytes
                data += self._port.read(max_bytes - 1)
        if data:
            self.recording.feed(data)
        return data

    def write(self, data: bytes) -> None:
        """See ByteStream."""
        self._check_open()
        try:
            self._port.write(data)
        except OSError as error:
            if "timeout" in str(error).lower():
                raise DeviceError(
                    f"{self._name}: nobody took {len(data):,} bytes within {_WRITE_SECONDS:.0f} s",
                    hint="check cable, flow control and that the firmware runs",
                ) from None
            raise _gone(self._name, error) from None

    def close(self) -> None:
        """See ByteStream."""
        with contextlib.suppress(OSError):
            self._port.close()

    def _check_open(self) -> None:
        if not self._port.is_open:
            raise DeviceError(f"{self._name} is closed")


class SerialPortDevice:
    """A board that already runs its firmware.  Implements `Device`; used once.

    `url`: what pyserial understands.  `elf`: the firmware, to name the place of a fault.
    """

    shares_files = False
    counts_instructions = False

    def __init__(self, url: str, baud: int = 115200, *, elf: str | Path | None = None) -> None:
        self._url = url
        self._baud = baud
        self._elf = Path(elf) if elf is not None else None
        self._stream: SerialStream | None = None
        self._ending: Ending | None = None

    @property
    def name(self) -> str:
        """The port."""
        return self._url

    @property
    def stream(self) -> SerialStream:
        """The bytes of the port."""
        if self._stream is None:
            raise DeviceError(f"{self.name} is not open")
        return self._stream

    @property
    def log(self) -> str:
        """Lines of text the board wrote."""
        return self._stream.recording.text if self._stream else ""

    @property
    def ending(self) -> Ending | None:
        """A board never ends; the conversation does."""
        return self._ending

    def start(self) -> SerialStream:
        """Open the port.  Raises PortError with what to do about it."""
        self._stream = SerialStream(_open(self._url, self._baud), self._url, self._elf)
        return self._stream

    def stop(self) -> None:
        """See Device."""
        if self._stream is not None:
            self._stream.close()
            fault = self._stream.recording.fault
            self._ending = Ending(None, "the port was closed by this tool", fault)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def other_users(url: str) -> tuple[Holder, ...]:
    """Other programs that have this port open or locked; nothing is known of a URL's."""
    return () if "://" in url else holders_of([url])[url]


def _open(url: str, baud: int) -> Any:  # noqa: ANN401 - pyserial has no types
    try:
        return serial.serial_for_url(
            url, baudrate=baud, exclusive=True, timeout=0, write_timeout=_WRITE_SECONDS
        )
    except ValueError as error:
        raise PortError(
            f"{url}: {error}", hint="give a port such as /dev/ttyACM0 or socket://host:port"
        ) from None
    except OSError as error:  # SerialException is one
        raise _cannot_open(url, error) from None


def _cannot_open(url: str, error: OSError) -> PortError:
    text = str(error).lower()
    if error.errno in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        holders = other_users(url)
        if holders:
            return PortError(f"{url} is busy: {holders[0]} has it open", hint="end that program")
        return PortError(
            f"{url} is busy: another program has it open",
            hint=f"close serial monitors; `sudo fuser -v {url}` tells which program it is",
        )
    if error.errno == errno.EACCES:
        return _not_allowed(url)
    if error.errno == errno.ENOENT:
        return PortError(
            f"{url} does not exist",
            hint="check the cable and that the board has power; `ls /dev/tty*` shows the ports",
        )
    if "refused" in text:
        return PortError(f"{url}: nobody listens there", hint="start the emulator or bridge first")
    return PortError(f"{url} cannot be opened: {error}", hint="check that it is a serial port")


def _not_allowed(url: str) -> PortError:
    access = access_of(url)
    remedy = "; ".join(access.remedy)
    if access.allowed:  # it changed meanwhile
        remedy = 'sudo usermod -aG dialout "$USER", then log out and in again'
    return PortError(
        f"you may not open {url}" + (f": {access.problem}" if access.problem else ""),
        hint=remedy or "let whoever runs this computer or container give you the device",
    )


def _gone(name: str, error: Exception) -> PortError:
    return PortError(
        f"{name} is gone: {error}",
        hint="the board was unplugged, lost power or reset its USB; plug it in and try again",
    )
