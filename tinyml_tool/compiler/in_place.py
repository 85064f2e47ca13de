"""Which layers write their output where their input was."""

from __future__ import annotations

from collections.abc import Iterable

from tinyml_tool.compiler.overlap import is_in_place
from tinyml_tool.compiler.plan import Layer
from tinyml_tool.graph.types import Graph


def in_place_pairs(
    graph: Graph, layers: Iterable[Layer], aliases: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Pairs (input, output) that share a buffer: the kernel allows it, and the input dies there.

    `aliases` are pairs that share a buffer anyway, in the order of the layers.
    """
    root: dict[int, int] = {}
    for source, target in aliases:
        root[target] = root.get(source, source)
    last: dict[int, int] = {}
    for step, operator in enumerate(graph.operators):
        for tensor in operator.inputs:
            last[root.get(tensor, tensor)] = step
    for tensor in graph.outputs:
        last[root.get(tensor, tensor)] = len(graph.operators)
    pairs = []
    for layer in layers:
        source, target = layer.operator.inputs[0], layer.operator.outputs[0]
        if layer.call is None or not is_in_place(layer.call) or graph.tensors[source].is_constant:
            continue
        if last[root.get(source, source)] == layer.operator.index:
            pairs.append((source, target))
    return pairs
