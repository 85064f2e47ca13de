"""RELU, RELU6 or a clamping QUANTIZE behind a layer becomes that layer's fused activation.

Exact because both write the same quantization, so the layer rescales its sums as before; and the
clamp of the layer followed by the table of the other, for all 256 values, is the clamp of the new
activation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyml_tool.graph.fixed_point import Integers
from tinyml_tool.graph.numerics import activation_range
from tinyml_tool.graph.options import Activation
from tinyml_tool.graph.passes.bypass import written_before
from tinyml_tool.graph.passes.byte_tables import byte_table, every_value, looked_up
from tinyml_tool.graph.passes.edit import with_replaced, writers
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor
from tinyml_tool.graph.unsupported_operator import UnsupportedOperatorError

_CLAMPING = frozenset(
    (
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "AVERAGE_POOL_2D",
        "MAX_POOL_2D",
        "ADD",
        "SUB",
        "MUL",
    )
)
"""Layers that end with a clamp to the range of their fused activation."""

_ACTIVATIONS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)


def fold_relu(graph: Graph) -> Outcome:
    """Fold one layer after another."""
    changes: list[Change] = []
    for origin in [op.origin for op in graph.operators]:
        operator = next((op for op in graph.operators if op.origin == origin), None)
        before = writers(graph).get(operator.inputs[0]) if operator and operator.inputs else None
        if operator is None or before is None or before.kind not in _CLAMPING:
            continue
        try:
            activation = _activation(graph, before, operator)
        except UnsupportedOperatorError:
            continue  # no engine runs it, and the compiler says why
        folded = None if activation is None else _folded(graph, before, operator, activation)
        if folded is not None:
            text = f"fused into layer {operator.origin} {operator.kind}, which is compared"
            graph = folded
            changes.append(Change(before.origin, before.kind, text, removed=True))
    return Outcome(graph, tuple(changes))


def _folded(
    graph: Graph, before: Operator, operator: Operator, activation: Activation
) -> Graph | None:
    options: Any = before.options
    clamped = replace(before, options=replace(options, activation=activation))
    graph = with_replaced(graph, {before.index: clamped})
    result = written_before(
        graph, next(op for op in graph.operators if op.origin == operator.origin)
    )
    return result and _named_after(result, operator)


def _named_after(graph: Graph, operator: Operator) -> Graph:
    """The layer that now makes the output of `operator` is known by that one's place."""
    made = writers(graph)[operator.outputs[0]]
    named = (
        replace(op, layer=operator.origin) if op.index == made.index else op
        for op in graph.operators
    )
    return replace(graph, operators=tuple(named))


def _activation(graph: Graph, before: Operator, operator: Operator) -> Activation | None:
    """The activation that does what both layers do; None where there is none."""
    between, target = graph.tensor(before.outputs[0]), graph.tensor(operator.outputs[0])
    if between.dtype is not DType.INT8 or target.dtype is not DType.INT8:
        return None
    if between.quantization != target.quantization or between.shape != target.shape:
        return None
    table = byte_table(operator, graph)
    if table is None:
        return None
    options: Any = before.options
    clamped = _clamped(options.activation, between)
    both = looked_up(clamped, table, DType.INT8)
    for activation in _ACTIVATIONS:
        if np.array_equal(_clamped(activation, between), both):
            return activation
    return None


def _clamped(activation: Activation, tensor: Tensor) -> Integers:
    """What a fused activation makes of all 256 values."""
    assert tensor.quantization is not None
    low, high = activation_range(activation, DType.INT8, tensor.quantization)
    return np.clip(every_value(DType.INT8), low, high)
