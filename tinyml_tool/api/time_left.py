"""How much of a long transfer is done, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable

from tinyml_tool.graph.types import Graph

_PIECE_BYTES = 1024
_PIECE_OVERHEAD = 60
"""Bytes of frames and headers, question and answer, around each piece of a tensor."""

_PAUSE_BYTES = 100
"""Bytes of question and answer, after each layer of an observed run."""

_SECONDS_BETWEEN = 0.25
_SECONDS_BEFORE_GUESS = 1.0


class TransferProgress:
    """Turns bytes on the wire into messages such as `input 3 of 10, 24 %, 1 min 20 s left`.

    `expected` is the number of bytes of all `steps` together, as far as one can tell before; all
    steps take the same number, so the first one tells it exactly.
    """

    def __init__(
        self,
        steps: int,
        expected: int,
        tell: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps = steps
        self._expected = max(expected, 1)
        self._tell = tell
        self._clock = clock
        self._started: float | None = None
        self._told_at = float("-inf")
        self._moved = 0
        self._done = 0

    def begin(self) -> None:
        """The first step begins now; what moved before does not count."""
        self._started = self._clock()

    def moved(self, count: int) -> None:
        """So many more bytes went over the wire."""
        if self._started is None or self._done == self._steps:
            return
        now = self._clock()
        self._moved += count
        if now - self._told_at >= _SECONDS_BETWEEN:
            self._say(now)

    def step_done(self, message: str = "") -> None:
        """A step is complete.  `message` is what others would say about it; it is not told."""
        self._done += 1
        self._expected = max(self._moved * self._steps // self._done, 1)
        self._say(self._clock())

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(self._moved / self._expected, 1.0) if self._done < self._steps else 1.0

    def _say(self, now: float) -> None:
        self._told_at = now
        number = min(self._done + 1, self._steps)
        text = f"comparing test input {number} of {self._steps}, {int(100 * self.share)} %"
        left = self._seconds_left(now)
        self._tell(text if left is None else f"{text}, {duration_text(left)} left")

    def _seconds_left(self, now: float) -> float | None:
        """None while it is too early to tell."""
        spent = now - self._started if self._started is not None else 0.0
        if spent < _SECONDS_BEFORE_GUESS or not self.share:
            return None
        return spent * (1 - self.share) / self.share


def wire_bytes(graph: Graph, *, layers: bool, checksums: bool = False) -> int:
    """About how many bytes comparing one input moves over a wire, in both directions.

    With `layers` there is an observed run before the other one; with `checksums` it fetches no
    layer, as long as none differs.
    """
    tensors = [*graph.inputs, *graph.outputs]
    pauses = 0
    if layers:
        written = [index for op in graph.operators for index in graph.written(op) if index >= 0]
        tensors += [*tensors, *(() if checksums else written)]
        pauses = len(written) * _PAUSE_BYTES
    sizes = [graph.tensor(index).bytes for index in tensors]
    return pauses + sum(size + (size // _PIECE_BYTES + 1) * _PIECE_OVERHEAD for size in sizes)


def duration_text(seconds: float) -> str:
    """A duration as people say it.

    >>> duration_text(7.4), duration_text(80), duration_text(3700)
    ('8 s', '1 min 20 s', '1 h 1 min')
    """
    whole = max(1, int(-(-seconds // 1)))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
