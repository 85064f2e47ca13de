"""What a device sent, kept for people, and watched for the firmware's fault line."""

from __future__ import annotations

from threading import Lock

from tinyml_tool.devices.faults import Fault, FaultWatch

_BYTES_MAX = 64 * 1024


class Recording:
    """The last 64 KB of a stream.  May be fed in one thread and read in another."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._watch = FaultWatch()
        self._lock = Lock()

    def feed(self, data: bytes) -> None:
        """Take note of the next bytes."""
        with self._lock:
            self._watch.feed(data)
            self._bytes += data
            del self._bytes[:-_BYTES_MAX]

    @property
    def fault(self) -> Fault | None:
        """The first fault that the firmware reported."""
        return self._watch.fault

    @property
    def text(self) -> str:
        """The lines of text; binary frames between them are left out."""
        with self._lock:
            lines = self._bytes.decode("ascii", "replace").replace("\r", "").split("\n")
        return "\n".join(line for line in lines if line.isascii() and line.isprintable() and line)
