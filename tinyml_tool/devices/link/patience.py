"""How long an answer may take before it is worth asking again: learned from the answers so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_REMEMBERED = 16
_ENOUGH = 4
_TIMES_THE_SLOWEST = 4
_SHORTEST = 0.05
"""Seconds: host and device may both be busy with something else for as long."""

_SLACK = 2.0
"""How much slower than ever before a line may be."""


@dataclass
class Patience:
    """Waiting times of one connection; `longest` seconds where nothing is known yet."""

    longest: float
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _seconds_a_byte: float | None = None

    @property
    def usual(self) -> float:
        """Seconds until an answer should be there, whatever is asked."""
        if len(self._recent) < _ENOUGH:
            return self.longest
        return min(self.longest, max(_SHORTEST, _TIMES_THE_SLOWEST * max(self._recent)))

    def after(self, sent: int) -> float:
        """Seconds until the answer to a request of `sent` bytes should be there."""
        return self.usual + _SLACK * sent * (self._seconds_a_byte or 0.0)

    def answered(self, seconds: float, moved: int) -> None:
        """A request was answered at once, in that time; `moved` bytes went over the line."""
        self._recent.append(seconds)
        rate = seconds / moved
        self._seconds_a_byte = min(rate, self._seconds_a_byte or rate)
