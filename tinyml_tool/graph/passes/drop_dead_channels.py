"""Channels that are constant, or that nobody reads, are dropped with all that computes them.

Exact because accumulators are sums modulo 2**32: what a known channel adds to a sum is worked out
with the reference's integer arithmetic and added to the bias, in whatever order; a channel whose
weights are all zero in the next layer adds nothing. `removable_channels` says which may go. No
value that is left changes, so no requantization is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.fixed_point import wrap
from tinyml_tool.graph.known_values import KnownChannels
from tinyml_tool.graph.passes.edit import with_constant, with_replaced, with_tensors, writers
from tinyml_tool.graph.passes.known_channels import (
    Known,
    bias_of,
    contribution,
    known_channels,
    of,
)
from tinyml_tool.graph.passes.layer_forms import DENSE, RESHAPING
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.passes.removable_channels import Mask, removable_channels
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

_WEIGHTED = DENSE | {"DEPTHWISE_CONV_2D"}


@dataclass(frozen=True, eq=False)
class _Removal:
    """What goes, in terms of the graph before."""

    graph: Graph
    facts: Mapping[int, Known]
    removed: Mapping[int, Mask]

    def kept(self, tensor: int) -> NDArray[np.intp]:
        """Indices of the last axis that stay."""
        mask = self.removed.get(tensor)
        channels = self.graph.tensor(tensor).shape[-1]
        return np.arange(channels) if mask is None else np.flatnonzero(~mask)

    def touches(self, operator: Operator) -> bool:
        """Whether an input or the output of the layer loses channels."""
        return any(index in self.removed for index in (*operator.inputs, *operator.outputs))


def drop_dead_channels(graph: Graph) -> Outcome:
    """Drop every channel that `removable_channels` names."""
    facts = known_channels(graph)
    removed = removable_channels(graph, facts)
    if not removed:
        return Outcome(graph)
    removal = _Removal(graph, facts, removed)
    result = graph
    for operator in graph.operators:
        if removal.touches(operator):
            result = _narrowed_operator(result, operator, removal)
    result = with_tensors(result, {index: _narrowed(removal, index) for index in removed})
    return Outcome(result, _changes(removal), _foretold(removal))


def _narrowed(removal: _Removal, index: int) -> Tensor:
    tensor, kept = removal.graph.tensor(index), removal.kept(index)
    channels = tuple(tensor.channels[c] if tensor.channels else int(c) for c in kept)
    return replace(tensor, shape=(*tensor.shape[:-1], len(kept)), channels=channels)


def _narrowed_operator(result: Graph, operator: Operator, removal: _Removal) -> Graph:
    """`result` with the layer's constants, or its options, as the kept channels need them."""
    if operator.kind in _WEIGHTED:
        return _with_narrow_weights(result, operator, removal)
    if operator.kind in RESHAPING:
        # The shape that it is given does not count any more; that of its output does.
        reshape = replace(operator, kind="RESHAPE", inputs=operator.inputs[:1], options=None)
        return with_replaced(result, {operator.index: reshape})
    return result


def _with_narrow_weights(result: Graph, operator: Operator, removal: _Removal) -> Graph:
    graph = removal.graph
    source, target = operator.inputs[0], operator.outputs[0]
    weights = graph.tensor(operator.inputs[1])
    assert weights.data is not None
    inputs, outputs = removal.kept(source), removal.kept(target)
    if operator.kind == "DEPTHWISE_CONV_2D":
        narrow = weights.data[..., outputs]
    else:
        narrow = weights.data[outputs][..., inputs]
    like = replace(weights, quantization=_narrow_quantization(weights, outputs))
    result, new_weights = with_constant(result, like, narrow)
    bias = _new_bias(operator, removal)[outputs]
    result, new_bias = with_constant(result, _bias_like(operator, graph, outputs), bias)
    changed = replace(operator, inputs=(source, new_weights, new_bias))
    return with_replaced(result, {operator.index: changed})


def _new_bias(operator: Operator, removal: _Removal) -> NDArray[np.int32]:
    """The bias with what the removed known channels add; int32 arithmetic wraps."""
    graph, source = removal.graph, operator.inputs[0]
    bias = bias_of(operator, graph, graph.tensor(operator.outputs[0]).shape[-1])
    gone = removal.removed.get(source)
    known = of(removal.facts, graph.tensor(source))
    if operator.kind in DENSE and gone is not None and (gone & known.mask).any():
        added = contribution(operator, graph, known, np.flatnonzero(gone & known.mask))
        bias = bias + added.reshape(-1, added.shape[-1])[0]
    return wrap(bias).astype(np.int32)


def _narrow_quantization(weights: Tensor, outputs: NDArray[np.intp]) -> Quantization | None:
    quantization = weights.quantization
    if quantization is None or len(quantization.scales) == 1:
        return quantization
    zero_points: tuple[int, ...] = quantization.zero_points
    return replace(
        quantization,
        scales=tuple(quantization.scales[c] for c in outputs),
        zero_points=tuple(zero_points[c] for c in outputs) if len(zero_points) > 1 else zero_points,
    )


def _bias_like(operator: Operator, graph: Graph, outputs: NDArray[np.intp]) -> Tensor:
    """A tensor like the layer's bias, or like the one it would have."""
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        bias = graph.tensor(operator.inputs[2])
        return replace(bias, quantization=_narrow_quantization(bias, outputs))
    source, weights = (graph.tensor(index) for index in operator.inputs[:2])
    quantization = _narrow_quantization(weights, outputs)
    assert quantization is not None
    assert source.quantization is not None
    scales = tuple(source.quantization.scale * scale for scale in quantization.scales)
    axis = 0 if quantization.per_channel else None
    products = Quantization(scales, (0,) * len(scales), axis)
    return Tensor(0, f"{weights.name}_bias", (), DType.INT32, products)


def _changes(removal: _Removal) -> tuple[Change, ...]:
    made = writers(removal.graph)
    changes = []
    for index, mask in removal.removed.items():
        operator = made[index]
        known = of(removal.facts, removal.graph.tensor(index)).mask
        parts = [(int((mask & known).sum()), "constant"), (int((mask & ~known).sum()), "unread")]
        text = " and ".join(f"{count} {what}" for count, what in parts if count)
        text = f"{text} of {mask.size} channels dropped"
        changes.append(Change(operator.origin, operator.kind, text))
    return tuple(sorted(changes, key=lambda change: change.layer))


def _foretold(removal: _Removal) -> tuple[KnownChannels, ...]:
    """The values of the channels that were known, for the verifier."""
    foretold = []
    for index, mask in removal.removed.items():
        tensor, known = removal.graph.tensor(index), of(removal.facts, removal.graph.tensor(index))
        gone = np.flatnonzero(mask & known.mask)
        if gone.size:
            named: tuple[Any, ...] = tensor.channels or tuple(range(mask.size))
            channels = tuple(int(named[c]) for c in gone)
            values = np.ascontiguousarray(known.values[..., gone].astype(np.int8))
            foretold.append(KnownChannels(index, channels, values))
    return tuple(foretold)
