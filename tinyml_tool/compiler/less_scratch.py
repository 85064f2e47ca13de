"""Takes kernels that need less scratch where that makes the arena smaller.

Some kernels can do the same work in more and smaller parts (`KernelCall.frugal`): a little slower,
so it is done only for layers whose scratch widens the arena.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tinyml_tool.compiler.placement import buffers_of
from tinyml_tool.compiler.plan import Layer, MemoryPlan
from tinyml_tool.graph.types import Graph

_LEAST_GAIN = 32
"""All such calls together must save one byte in so many of the arena."""

Placed = tuple[tuple[Layer, ...], MemoryPlan]


def with_less_scratch(graph: Graph, layers: tuple[Layer, ...], memory: MemoryPlan) -> Placed:
    """The layers, some with their frugal call, and their places; as they are if nothing is won."""
    willing = [at for at, layer in enumerate(layers) if layer.call and layer.call.frugal]
    limit = memory.arena_bytes - memory.arena_bytes // _LEAST_GAIN
    least = _frugal(layers, willing)
    if not willing or buffers_of(graph, least).bound > limit:
        return layers, memory
    smallest = buffers_of(graph, least).place()
    if smallest.arena_bytes > limit:
        return layers, memory
    needed = [
        at
        for at in willing
        if buffers_of(graph, _frugal(layers, set(willing) - {at})).bound > smallest.arena_bytes
    ]
    chosen = _frugal(layers, needed)
    placed = buffers_of(graph, chosen).place()
    if placed.arena_bytes > smallest.arena_bytes:
        return least, smallest
    return chosen, placed


def _frugal(layers: tuple[Layer, ...], which: Iterable[int]) -> tuple[Layer, ...]:
    wanted = set(which)
    return tuple(
        replace(layer, call=layer.call.frugal) if at in wanted and layer.call else layer
        for at, layer in enumerate(layers)
    )
