"""Which channels can be dropped from every tensor at once, so that all layers still fit.

The greatest set that keeps these rules, found by starting from all channels and giving up one after
another until nothing changes:

- Inputs and outputs of the model stay whole, and so does what a layer of unknown form touches.
- A convolution or fully connected layer lets an input channel go if its weights there are all
  zero, or if the channel is known and adds the same to the accumulators at every position (so that
  it becomes part of the bias). A known channel under SAME padding adds less at a border unless its
  value is the zero point: such a channel stays.
- Any other layer treats channels one by one: an input channel goes exactly where the output
  channels made of it go.
- No tensor loses its last channel, and none is narrowed by less than 1 in 32: a number of channels
  that is no multiple of 4 costs the kernels more than that saves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.options import Conv2DOptions
from tinyml_tool.graph.passes.known_channels import Known, contribution, of, weights_of
from tinyml_tool.graph.passes.layer_forms import DENSE, PAIRWISE, is_plain
from tinyml_tool.graph.types import Graph, Operator

Mask = NDArray[np.bool_]

_LEAST_SHARE = 32


def removable_channels(graph: Graph, facts: Mapping[int, Known]) -> dict[int, Mask]:
    """By tensor, a mask over the last axis; tensors of which nothing can go are left out."""
    removable = _at_most(graph)
    absorbed = {
        operator.index: _absorbed(operator, graph, facts)
        for operator in graph.operators
        if operator.kind in DENSE and operator.inputs[0] in removable
    }
    while _tighten(graph, removable, absorbed) or _spare(removable):
        pass
    return {tensor: mask for tensor, mask in removable.items() if mask.any()}


def _at_most(graph: Graph) -> dict[int, Mask]:
    """All channels of the tensors that only layers of known form touch."""
    computed = {index for op in graph.operators for index in op.outputs}
    fixed = {*graph.inputs, *graph.outputs}
    for operator in graph.operators:
        if not is_plain(operator, graph):
            fixed.update(operator.inputs, operator.outputs)
    return {index: np.ones(graph.tensor(index).shape[-1], np.bool_) for index in computed - fixed}


def _absorbed(operator: Operator, graph: Graph, facts: Mapping[int, Known]) -> Mask:
    """Input channels that this layer's bias can stand for, or that add nothing."""
    weights = weights_of(operator, graph)
    rows = weights.reshape(-1, weights.shape[-1])
    absorbed: Mask = np.logical_not(rows.any(axis=0))
    known = of(facts, graph.tensor(operator.inputs[0]))
    for channel in np.flatnonzero(known.mask & ~absorbed):
        added = contribution(operator, graph, known, np.array([channel]))
        absorbed[channel] = _is_even(added)
    return absorbed


def _is_even(values: NDArray[np.int64]) -> bool:
    """Whether every position holds the same, channel by channel."""
    rows = values.reshape(-1, values.shape[-1])
    return bool((rows == rows[0]).all())


def _tighten(graph: Graph, removable: dict[int, Mask], absorbed: Mapping[int, Mask]) -> bool:
    """Give up what breaks a rule; whether anything did."""
    before = sum(int(mask.sum()) for mask in removable.values())
    for operator in graph.operators:
        if operator.kind in DENSE:
            if operator.inputs[0] in removable:
                removable[operator.inputs[0]] &= absorbed.get(operator.index, np.False_)
        elif is_plain(operator, graph):
            _agree(operator, graph, removable)
    return sum(int(mask.sum()) for mask in removable.values()) < before


def _spare(removable: dict[int, Mask]) -> bool:
    """Keep one channel of a tensor that would lose all, and all where few would go."""
    spared = False
    for mask in removable.values():
        if mask.all():
            mask[0] = False
            spared = True
        if 0 < mask.sum() * _LEAST_SHARE < mask.size:
            mask[:] = False
            spared = True
    return spared


def _agree(operator: Operator, graph: Graph, removable: dict[int, Mask]) -> None:
    """Make inputs and output of a layer that keeps channels apart lose the same ones."""
    target = operator.outputs[0]
    if operator.kind == "CONCATENATION":
        _agree_joined(operator, graph, removable)
        return
    two = operator.kind in PAIRWISE
    sources = operator.inputs[:2] if two else operator.inputs[:1]
    for source in sources:
        groups = _grouped(operator, graph, _mask(graph, removable, target))
        common = groups.all(axis=0) & _mask(graph, removable, source)
        _give(removable, source, common)
        _give(removable, target, _ungrouped(operator, groups.shape[0], common))


def _grouped(operator: Operator, graph: Graph, mask: Mask) -> Mask:
    """The output's mask as [output channels of one input channel, input channels]."""
    channels = graph.tensor(operator.inputs[0]).shape[-1]
    if operator.kind == "DEPTHWISE_CONV_2D":
        return mask.reshape(channels, -1).T  # they lie side by side
    return mask.reshape(-1, channels)


def _ungrouped(operator: Operator, copies: int, mask: Mask) -> Mask:
    """The input's mask as the output's."""
    if operator.kind == "DEPTHWISE_CONV_2D":
        options = operator.options
        assert isinstance(options, Conv2DOptions)
        return np.repeat(mask, copies)
    return np.tile(mask, copies)


def _agree_joined(operator: Operator, graph: Graph, removable: dict[int, Mask]) -> None:
    target = operator.outputs[0]
    start = 0
    whole = _mask(graph, removable, target)
    for source in operator.inputs:
        end = start + graph.tensor(source).shape[-1]
        whole[start:end] &= _mask(graph, removable, source)
        _give(removable, source, whole[start:end])
        start = end
    _give(removable, target, whole)


def _mask(graph: Graph, removable: Mapping[int, Mask], tensor: int) -> Mask:
    if tensor in removable:
        return removable[tensor].copy()
    return np.zeros(graph.tensor(tensor).shape[-1], np.bool_)


def _give(removable: dict[int, Mask], tensor: int, mask: Mask) -> None:
    if tensor in removable:
        removable[tensor] &= mask
