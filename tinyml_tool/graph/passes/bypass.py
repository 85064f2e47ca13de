"""Takes a layer out whose output holds the same bytes as its input."""

from __future__ import annotations

from dataclasses import replace

from tinyml_tool.graph.passes.edit import (
    only_reader,
    reading_instead,
    with_replaced,
    writers,
)
from tinyml_tool.graph.types import Graph, Operator, Tensor


def bypassed(graph: Graph, operator: Operator) -> Graph | None:
    """The graph without `operator`; None where its output is needed as it is.

    Both tensors must have the same type and quantization, for readers compute with those. An
    output of the model keeps its tensor: then the layer before writes it instead.
    """
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    if source.is_constant or source.is_variable or not _same_meaning(source, target):
        return None
    if target.index not in graph.outputs:
        return reading_instead(
            with_replaced(graph, {operator.index: None}), target.index, source.index
        )
    return written_before(graph, operator)


def written_before(graph: Graph, operator: Operator) -> Graph | None:
    """The graph without `operator`, whose output the layer before writes instead.

    None where others read what that layer writes, or no layer does.
    """
    source, target = operator.inputs[0], operator.outputs[0]
    writer = writers(graph).get(source)
    if writer is None or source in graph.inputs or only_reader(graph, source) is None:
        return None
    outputs = tuple(target if index == source else index for index in writer.outputs)
    return with_replaced(
        graph, {operator.index: None, writer.index: replace(writer, outputs=outputs)}
    )


def _same_meaning(source: Tensor, target: Tensor) -> bool:
    same = source.dtype is target.dtype and source.quantization == target.quantization
    return same and source.shape == target.shape
