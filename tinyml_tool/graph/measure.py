"""Counts what a layer costs: multiply-accumulates, weights, activations."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from tinyml_tool.graph.types import Graph, Operator

_SHARES_ITS_INPUT = frozenset(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"))
"""Operators whose output is the same bytes as their input."""


def macs(op: Operator, graph: Graph) -> int:
    """Multiply-accumulates of a convolution or a fully connected layer; 0 for other operators.

    Positions in the padding count, as is usual.
    """
    if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
        return 0
    if len(op.inputs) < 2 or not op.outputs or min(op.inputs[:2]) < 0:
        return 0
    weights = graph.tensor(op.inputs[1])
    if len(weights.shape) < 2 or 0 in weights.shape:
        return 0
    if op.kind == "TRANSPOSE_CONV":
        # Every input element meets the weights of all output channels.
        source = graph.tensor(op.inputs[2]) if len(op.inputs) > 2 and op.inputs[2] >= 0 else None
        return source.elements * weights.elements // weights.shape[-1] if source else 0
    channels = weights.shape[-1 if op.kind == "DEPTHWISE_CONV_2D" else 0]
    return graph.tensor(op.outputs[0]).elements * (weights.elements // channels)


def weight_bytes(op: Operator, graph: Graph) -> int:
    """Bytes of the layer's constants: weights, bias, index tensors; shared ones count here too."""
    return _constant_bytes(op.inputs, graph)


def activation_bytes(op: Operator, graph: Graph) -> int:
    """Bytes of the layer's computed inputs and outputs, each tensor once."""
    return sum(
        graph.tensor(index).bytes
        for index in {*op.inputs, *op.outputs}
        if index >= 0 and not graph.tensor(index).is_constant
    )


def total_macs(graph: Graph) -> int:
    """Multiply-accumulates of one inference."""
    return sum(macs(op, graph) for op in graph.operators)


def total_weight_bytes(graph: Graph) -> int:
    """Bytes of all constants that a layer uses, each tensor once."""
    return _constant_bytes((index for op in graph.operators for index in op.inputs), graph)


def _constant_bytes(indices: Iterable[int], graph: Graph) -> int:
    return sum(graph.tensor(index).stored_bytes for index in set(indices) if index >= 0)


def peak_activation_bytes(graph: Graph) -> int:
    """The most bytes of tensors that are alive together: no memory plan needs less.

    Holds for kernels that do not overwrite their inputs. Outputs of reshaping operators count as
    one with their input; scratch memory and alignment are left out.
    """
    changes = [0] * (len(graph.operators) + 1)
    for index, (first, last) in _lifetimes(graph).items():
        changes[first] += graph.tensor(index).bytes
        changes[last + 1] -= graph.tensor(index).bytes
    return max(accumulate(changes))


def _lifetimes(graph: Graph) -> dict[int, tuple[int, int]]:
    """First and last operator at which each buffer must hold its value."""
    end = max(len(graph.operators) - 1, 0)
    root = {index: index for index in graph.inputs}
    spans = dict.fromkeys(graph.inputs, (0, 0)) if graph.operators else {}
    for position, op in enumerate(graph.operators):
        for index in op.inputs:
            if index in root:
                spans[root[index]] = (spans[root[index]][0], position)
        for index in op.outputs:
            source = op.inputs[0] if op.inputs and op.kind in _SHARES_ITS_INPUT else index
            root[index] = root.get(source, index)
            spans.setdefault(root[index], (position, position))
    for index in graph.outputs:
        if index in root and root[index] in spans:
            spans[root[index]] = (spans[root[index]][0], end)
    return spans
