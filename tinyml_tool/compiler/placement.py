"""Where the tensors of lowered layers lie: buffers, which may share bytes, and their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyml_tool.compiler.in_place import in_place_pairs
from tinyml_tool.compiler.lifetimes import Lifetime, leads, lifetimes
from tinyml_tool.compiler.memory import arena_bound, plan_memory
from tinyml_tool.compiler.overlap import Overlap, overlaps
from tinyml_tool.compiler.plan import Layer, MemoryPlan
from tinyml_tool.graph.types import Graph, Operator


@dataclass(frozen=True)
class Buffers:
    """All buffers of a graph, and the pairs that may share bytes: see `lifetimes.leads`."""

    buffers: tuple[Lifetime, ...]
    leads: dict[tuple[int, int], int]

    @property
    def bound(self) -> int:
        """Bytes that no placement can do without."""
        return arena_bound(self.buffers, self.leads)

    def place(self) -> MemoryPlan:
        """Their places in one arena."""
        return plan_memory(self.buffers, self.leads)


def buffers_of(graph: Graph, layers: Sequence[Layer]) -> Buffers:
    """The buffers of a graph whose every operator has been lowered."""
    steps = replace(graph, operators=tuple(_step(layer) for layer in layers))
    alone = [layer for layer in layers if layer.stage is None]
    aliases = [
        (layer.operator.inputs[0], layer.operator.outputs[0])
        for layer in alone
        if layer.call is None
    ]
    aliases += in_place_pairs(steps, alone, aliases)
    allowed: list[Overlap] = []
    scratch: dict[int, int] = {}
    for layer in layers:
        place = layer.operator.index
        if layer.call is None or layer.is_inner:
            continue
        if layer.stage is None:
            scratch[place] = layer.call.scratch_bytes
            allowed += overlaps(layer.operator, graph, layer.call)
        else:
            stage = layer.stage
            scratch[place] = stage.scratch_bytes
            allowed.append(Overlap(stage.source, stage.target, stage.lead))
    found = lifetimes(steps, aliases, scratch)
    return Buffers(found, leads(found, allowed))


def _step(layer: Layer) -> Operator:
    """What a layer reads and writes when its turn comes: a stage all at its last layer's turn."""
    if layer.stage is None:
        return layer.operator
    if layer.is_inner:
        return replace(layer.operator, inputs=(), outputs=())
    return replace(layer.operator, inputs=(layer.stage.source,))
