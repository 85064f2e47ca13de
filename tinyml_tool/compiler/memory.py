"""Static memory planner: one arena, byte ranges that never overlap while both are live."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tinyml_tool.compiler.plan import Allocation, MemoryPlan
from tinyml_tool.graph.types import Graph

ALIGNMENT = 16


@dataclass(frozen=True)
class Lifetime:
    """A buffer with the closed range of steps in which its bytes must stay as they are.

    Step -1 is before the first layer (inputs are written), step n after the last (outputs are
    read).  `tensors` share the buffer; a scratch buffer has none and names its `layer`.
    """

    bytes: int
    first: int
    last: int
    tensors: tuple[int, ...] = ()
    layer: int = -1

    def overlaps(self, other: Lifetime) -> bool:
        """Whether both are live in some step."""
        return self.first <= other.last and other.first <= self.last


def lifetimes(
    graph: Graph, aliases: Iterable[tuple[int, int]], scratch: dict[int, int]
) -> tuple[Lifetime, ...]:
    """Lifetimes of all buffers of `graph`.

    `aliases` are (input tensor, output tensor) pairs that share one buffer; `scratch` maps an
    operator's position to the bytes it needs while it runs.
    """
    root: dict[int, int] = {}
    for source, target in aliases:
        root[target] = root.get(source, source)
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    members: dict[int, list[int]] = {}

    def touch(tensor: int, step: int) -> None:
        if tensor < 0 or graph.tensors[tensor].is_constant:
            return
        buffer = root.get(tensor, tensor)
        group = members.setdefault(buffer, [])
        if tensor not in group:
            group.append(tensor)
        first[buffer] = min(first.get(buffer, step), step)
        last[buffer] = max(last.get(buffer, step), step)

    for tensor in graph.inputs:
        touch(tensor, -1)
    for step, operator in enumerate(graph.operators):
        for tensor in (*operator.inputs, *operator.outputs):
            touch(tensor, step)
    for tensor in graph.outputs:
        touch(tensor, len(graph.operators))

    buffers = [
        Lifetime(graph.tensors[buffer].bytes, first[buffer], last[buffer], tuple(group))
        for buffer, group in members.items()
    ]
    buffers += [Lifetime(size, step, step, layer=step) for step, size in scratch.items() if size]
    return tuple(buffers)


def _round_up(value: int) -> int:
    return -(-value // ALIGNMENT) * ALIGNMENT


def _place(order: list[Lifetime]) -> list[int]:
    """Greedy: each buffer at the lowest offset where no live neighbour lies."""
    placed: list[tuple[int, Lifetime]] = []
    for buffer in order:
        offset = 0
        for start, other in sorted(placed, key=lambda item: item[0]):
            if not buffer.overlaps(other) or start + other.bytes <= offset:
                continue
            if offset + buffer.bytes <= start:
                break
            offset = _round_up(start + other.bytes)
        placed.append((offset, buffer))
    return [offset for offset, _ in placed]


_ORDERS: tuple[Callable[[Lifetime], tuple[int, ...]], ...] = (
    lambda b: (-b.bytes, b.first),
    lambda b: (b.first, -b.bytes),
    lambda b: (-b.last, -b.bytes),
    lambda b: (b.first - b.last, -b.bytes),
    lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
)


def plan_memory(buffers: tuple[Lifetime, ...]) -> MemoryPlan:
    """Place `buffers` in one arena: the smallest of several greedy orders.

    Source: greedy by size, Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
    Inference", 2020.
    """

    def arena(order: list[Lifetime], offsets: list[int]) -> int:
        return max((o + b.bytes for o, b in zip(offsets, order, strict=True)), default=0)

    candidates = []
    for key in _ORDERS:
        order = sorted(buffers, key=lambda b: (*key(b), b.tensors, b.layer))
        offsets = _place(order)
        candidates.append((arena(order, offsets), order, offsets))
    size, order, offsets = min(candidates, key=lambda candidate: candidate[0])
    tensors: dict[int, Allocation] = {}
    scratch: dict[int, Allocation] = {}
    for offset, buffer in zip(offsets, order, strict=True):
        allocation = Allocation(offset, buffer.bytes)
        for tensor in buffer.tensors:
            tensors[tensor] = allocation
        if buffer.layer >= 0:
            scratch[buffer.layer] = allocation
    return MemoryPlan(size, ALIGNMENT, dict(sorted(tensors.items())), dict(sorted(scratch.items())))
