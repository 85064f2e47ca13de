"""When the bytes of each tensor and scratch buffer must stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyml_tool.compiler.overlap import Overlap
from tinyml_tool.graph.types import Graph


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


def leads(buffers: tuple[Lifetime, ...], overlaps: Iterable[Overlap]) -> dict[tuple[int, int], int]:
    """Pairs of positions in `buffers`, (input's, output's), that may share bytes, with their lead.

    Only where the input dies in the step in which the output comes to life.
    """
    owner = {tensor: i for i, buffer in enumerate(buffers) for tensor in buffer.tensors}
    found: dict[tuple[int, int], int] = {}
    for overlap in overlaps:
        source, target = owner.get(overlap.input), owner.get(overlap.output)
        if source is None or target is None or buffers[source].last != buffers[target].first:
            continue
        found[source, target] = max(overlap.lead, found.get((source, target), overlap.lead))
    return found
