"""A batch that the converter left open becomes a batch of 1.

Exact because the file's own shapes already say 1 there, and the reference computes with those.
The mark alone goes, so that what depends on the shape (SHAPE and what is made of it) is constant.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_tool.graph.passes.edit import with_tensors
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.types import Graph, Tensor


def freeze_batch(graph: Graph) -> Outcome:
    """Take the mark of an open first axis from every tensor whose first axis is 1."""
    frozen = {tensor.index: _frozen(tensor) for tensor in graph.tensors if _is_open(tensor)}
    if not frozen or not graph.operators:
        return Outcome(graph)
    first = graph.operators[0]
    text = f"batch 1 frozen, here and in all {len(frozen)} tensors where it was open"
    return Outcome(with_tensors(graph, frozen), (Change(first.origin, first.kind, text),))


def _is_open(tensor: Tensor) -> bool:
    return 0 in tensor.dynamic_axes and tensor.shape[:1] == (1,)


def _frozen(tensor: Tensor) -> Tensor:
    return replace(tensor, dynamic_axes=tuple(axis for axis in tensor.dynamic_axes if axis))
