"""Static memory planner: one arena, as small as a bounded search finds it.

Buffers that are live together lie apart, but for one case: an output may lie over an input that
dies in its layer, as far as the kernel's order of work allows (`overlap.py`).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from tinyml_tool.compiler.lifetimes import Lifetime
from tinyml_tool.compiler.plan import Allocation, MemoryPlan

ALIGNMENT = 16

_SEARCH_STEPS = 20_000
"""Placements of one buffer that the search may try: bounds its time, whatever the model."""


@dataclass(frozen=True)
class Problem:
    """Buffers with the pairs that may share bytes."""

    buffers: tuple[Lifetime, ...]
    leads: dict[tuple[int, int], int]

    def neighbours(self) -> list[list[tuple[int, int, int]]]:
        """By buffer: (other, below, above) for each one that it must not meet.

        It may begin at most `below` bytes past the other's begin, which is negative where it has to
        lie wholly in front, or at least `above` bytes past it.
        """
        table: list[list[tuple[int, int, int]]] = [[] for _ in self.buffers]
        for i, one in enumerate(self.buffers):
            for j, other in enumerate(self.buffers):
                if i == j or not one.overlaps(other):
                    continue
                below, above = -one.bytes, other.bytes
                if (j, i) in self.leads:
                    below = max(below, -self.leads[j, i])
                if (i, j) in self.leads:
                    above = min(above, self.leads[i, j])
                if below < above:
                    table[i].append((j, below, above))
        return table


def _down(value: int) -> int:
    return value // ALIGNMENT * ALIGNMENT


def _up(value: int) -> int:
    return -_down(-value)


class Placer:
    """Places buffers in a given order, each where it widens the arena least.

    Orders that begin alike place the buffers there alike, and so does a buffer whose neighbours lie
    as they did once: the search tries thousands of such orders, and takes what it knows of them.
    """

    def __init__(self, problem: Problem) -> None:
        self._sizes = [buffer.bytes for buffer in problem.buffers]
        self._neighbours = problem.neighbours()
        # Of itself twice, and it lies nowhere yet: with one item alone, the getter gives no tuple.
        self._around = [
            itemgetter(buffer, buffer, *(other for other, _, _ in neighbours))
            for buffer, neighbours in enumerate(self._neighbours)
        ]
        self._known: dict[tuple[int, int, int, tuple[int | None, ...]], int] = {}

    def place(self, order: Sequence[int], limit: int) -> tuple[int, list[int]] | None:
        """The bytes from the first buffer to the last, and the offsets of all.

        None as soon as it takes more than `limit` bytes.
        """
        offsets: list[int | None] = [None] * len(self._sizes)
        low = high = 0
        for buffer in order:
            key = buffer, low, high, self._around[buffer](offsets)
            offset = self._known.get(key)
            if offset is None:
                offset = self._known[key] = self._best(buffer, offsets, low, high)
            offsets[buffer] = offset
            end = offset + self._sizes[buffer]
            low, high = low if low < offset else offset, high if high > end else end
            if high - low > limit:
                return None
        return high - low, [offset - low for offset in offsets if offset is not None]

    def _best(self, buffer: int, offsets: Sequence[int | None], low: int, high: int) -> int:
        forbidden = sorted(
            (offset + below, offset + above)
            for other, below, above in self._neighbours[buffer]
            if (offset := offsets[other]) is not None
        )
        size = self._sizes[buffer]
        candidates = [low, *(_up(end) for _, end in forbidden)]
        candidates += [_down(begin) for begin, _ in forbidden]
        found: int | None = None
        least = sys.maxsize
        for offset in candidates:
            # The cheap question first: of thousands of places few are better than the best so far.
            end = offset + size
            arena = (high if high > end else end) - (low if low < offset else offset)
            if arena > least or (
                arena == least and found is not None and abs(offset) >= abs(found)
            ):
                continue
            for begin, behind in forbidden:
                if begin < offset < behind:
                    break
            else:
                found, least = offset, arena
        assert found is not None
        return found


_ORDERS: tuple[Callable[[Lifetime], tuple[int, ...]], ...] = (
    lambda b: (-b.bytes, b.first),
    lambda b: (b.first, -b.bytes),
    lambda b: (-b.last, -b.bytes),
    lambda b: (b.first - b.last, -b.bytes),
    lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
)


def arena_bound(
    buffers: tuple[Lifetime, ...], leads: dict[tuple[int, int], int] | None = None
) -> int:
    """Bytes that no placement of `buffers` can do without: those of the fullest step.

    An output may hide at most itself under the inputs that it may overlap, and where its lead is
    positive the input reaches that far behind it.
    """
    allowed = leads or {}
    steps = {step for buffer in buffers for step in (buffer.first, buffer.last)}
    return max((_step_bound(buffers, allowed, step) for step in steps), default=0)


def _step_bound(buffers: tuple[Lifetime, ...], leads: dict[tuple[int, int], int], step: int) -> int:
    total = sum(b.bytes for b in buffers if b.first <= step <= b.last)
    hidden: dict[int, int] = {}
    for (source, target), lead in leads.items():
        if buffers[target].first != step:
            continue
        one, other = buffers[source].bytes, buffers[target].bytes
        together = max(max(lead, 0) + one, other)
        hidden[target] = hidden.get(target, 0) + max(0, one + other - together)
    return total - sum(min(bytes_, buffers[target].bytes) for target, bytes_ in hidden.items())


def plan_memory(
    buffers: tuple[Lifetime, ...], leads: dict[tuple[int, int], int] | None = None
) -> MemoryPlan:
    """Place `buffers` in one arena; `leads` as from `lifetimes.leads`.

    The best of several greedy orders, improved by moving single buffers in the order until the
    lower bound or the limit of the search is met; the same answer every time.
    Source: greedy by size, Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
    Inference", 2020.
    """
    problem = Problem(buffers, leads or {})
    bound = arena_bound(buffers, problem.leads)
    size, offsets = _search(problem, bound)
    tensors: dict[int, Allocation] = {}
    scratch: dict[int, Allocation] = {}
    for offset, buffer in zip(offsets, buffers, strict=True):
        allocation = Allocation(offset, buffer.bytes)
        for tensor in buffer.tensors:
            tensors[tensor] = allocation
        if buffer.layer >= 0:
            scratch[buffer.layer] = allocation
    return MemoryPlan(
        size,
        ALIGNMENT,
        dict(sorted(tensors.items())),
        dict(sorted(scratch.items())),
        lower_bound=bound,
    )


def _search(problem: Problem, bound: int) -> tuple[int, list[int]]:
    buffers = problem.buffers
    placer = Placer(problem)
    indices = range(len(buffers))
    best: tuple[int, list[int], list[int]] | None = None
    for key in _ORDERS:
        order = sorted(
            indices, key=lambda i: (*key(buffers[i]), buffers[i].tensors, buffers[i].layer)
        )
        placed = placer.place(order, best[0] - 1 if best else sys.maxsize)
        if placed is not None:
            best = *placed, order
    assert best is not None
    size, offsets, order = best
    chance = random.Random(len(buffers))
    for _ in range(_SEARCH_STEPS // max(1, len(buffers))):
        if size <= bound:
            break
        changed = list(order)
        changed.insert(chance.randrange(len(order)), changed.pop(chance.randrange(len(order))))
        placed = placer.place(changed, size)
        if placed is not None:
            size, offsets = placed
            order = changed
    return size, offsets
