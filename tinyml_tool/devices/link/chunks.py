"""How much of a tensor to move at once: less while the connection is bad, more when it is good."""

from __future__ import annotations

from dataclasses import dataclass

_SMALLEST = 16
_GOOD_BEFORE_GROWTH = 16

TRIES_BEFORE_SHRINKING = 2


@dataclass
class ChunkSize:
    """Bytes of the next piece, from 16 up to `largest`."""

    largest: int
    bytes: int = 0
    _good: int = 0

    def __post_init__(self) -> None:
        self.bytes = self.bytes or self.largest

    @property
    def tries(self) -> int | None:
        """Tries before a shorter piece is worth trying; None where there is no shorter one."""
        return TRIES_BEFORE_SHRINKING if self.bytes > _SMALLEST else None

    def succeeded(self) -> None:
        """A piece got through; after some of them the next may be twice as long."""
        self._good += 1
        if self._good >= _GOOD_BEFORE_GROWTH:
            self._good = 0
            self.bytes = min(2 * self.bytes, self.largest)

    def failed(self) -> None:
        """A piece did not get through: halve it."""
        self._good = 0
        self.bytes = max(self.bytes // 2, _SMALLEST)
