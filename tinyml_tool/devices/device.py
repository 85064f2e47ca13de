"""What everyone above sees of a device: a byte stream, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from tinyml_tool.devices.faults import Fault
from tinyml_tool.errors import DeviceError


@runtime_checkable
class ByteStream(Protocol):
    """Bytes in both directions, unframed."""

    def read(self, max_bytes: int, timeout: float) -> bytes:
        """Return 1 to `max_bytes` bytes as soon as any are there; b"" after `timeout` seconds.

        What arrived before the end is returned first.  After that raises DeviceFaultError where
        the firmware reported a fault, DeviceEndedError where the program ended, PortError where
        the port is gone, and DeviceError for any other end.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`.  Raises as `read` does, and DeviceError where nobody takes it."""
        ...

    def close(self) -> None:
        """Close this side.  May be called twice."""
        ...


@dataclass(frozen=True)
class Ending:
    """How a device came to its end.

    `exit_status` is the status given to `port_exit()`, or the emulator's own; negative for a
    signal, None where there is none (a serial port).  `reason` is one sentence for people.
    """

    exit_status: int | None
    reason: str
    fault: Fault | None = None


class DeviceEndedError(DeviceError):
    """The program on the device came to its end; `ending` tells how."""

    code = "device_ended"

    def __init__(self, message: str, ending: Ending, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.ending = ending


class Device(Protocol):
    """Something that runs a firmware and talks.  A context manager: started inside, then stopped.

    `with QemuDevice(...) as device: device.stream.write(...)`
    """

    @property
    def name(self) -> str:
        """What to call it in messages: `qemu-m4`, `/dev/ttyACM0`."""
        ...

    @property
    def shares_files(self) -> bool:
        """Whether the firmware can read and write files of the host (the bulk lane)."""
        ...

    @property
    def counts_instructions(self) -> bool:
        """Whether ticks of its timer are instructions, exactly repeatable."""
        ...

    @property
    def stream(self) -> ByteStream:
        """The bytes of its serial port.  Raises DeviceError before `start`."""
        ...

    @property
    def log(self) -> str:
        """Lines of text it wrote so far, and messages of its emulator; the last 64 KB."""
        ...

    @property
    def ending(self) -> Ending | None:
        """How it ended; None while it runs."""
        ...

    def start(self) -> ByteStream:
        """Bring it to life.  Raises ToolMissingError, PortError or DeviceError."""
        ...

    def stop(self) -> None:
        """End it and free everything.  May be called twice, and before `start`."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
