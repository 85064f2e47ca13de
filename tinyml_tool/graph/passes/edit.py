"""Small changes of a graph that the passes are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.types import Graph, Operator, Tensor


def readers(graph: Graph) -> dict[int, list[Operator]]:
    """The operators that read each tensor, once for each place where they do."""
    found: dict[int, list[Operator]] = {}
    for operator in graph.operators:
        for index in operator.inputs:
            if index >= 0:
                found.setdefault(index, []).append(operator)
    return found


def writers(graph: Graph) -> dict[int, Operator]:
    """The operator that computes each tensor."""
    return {index: operator for operator in graph.operators for index in operator.outputs}


def only_reader(graph: Graph, tensor: int) -> Operator | None:
    """The one operator that reads `tensor`; None where others do, or the model's user."""
    if tensor in graph.outputs:
        return None
    found = readers(graph).get(tensor, [])
    return found[0] if len(found) == 1 else None


def with_operators(graph: Graph, operators: Iterable[Operator]) -> Graph:
    """The graph with these operators, numbered anew; each remembers its place in the model."""
    numbered = tuple(
        replace(operator, index=position, layer=operator.origin)
        for position, operator in enumerate(operators)
    )
    return replace(graph, operators=numbered)


def with_replaced(graph: Graph, changed: Mapping[int, Operator | None]) -> Graph:
    """The graph with operators replaced by index; None removes one."""
    kept = (changed.get(operator.index, operator) for operator in graph.operators)
    return with_operators(graph, (operator for operator in kept if operator is not None))


def with_tensors(graph: Graph, changed: Mapping[int, Tensor]) -> Graph:
    """The graph with tensors replaced by index."""
    return replace(
        graph, tensors=tuple(changed.get(tensor.index, tensor) for tensor in graph.tensors)
    )


def with_constant(graph: Graph, like: Tensor, data: NDArray[Any]) -> tuple[Graph, int]:
    """The graph with one more constant, of the type and quantization of `like`; its index."""
    values = np.ascontiguousarray(data)
    values.setflags(write=False)
    index = len(graph.tensors)
    tensor = replace(like, index=index, shape=values.shape, data=values, channels=None)
    return replace(graph, tensors=(*graph.tensors, tensor)), index


def reading_instead(graph: Graph, old: int, new: int) -> Graph:
    """The graph whose operators read tensor `new` wherever they read `old`."""
    return replace(
        graph,
        operators=tuple(
            replace(op, inputs=tuple(new if index == old else index for index in op.inputs))
            for op in graph.operators
        ),
    )
