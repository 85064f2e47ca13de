"""Which channels of a model must be kept or removed together.

A convolution makes channels of its own; a depthwise one, a normalisation, a pooling hand them on;
an addition ties those of its inputs to each other.  So the channels of a residual stack are one
group, with all layers that make and take them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
from keras import layers

from tinyml_tool.train.engine.graph_rewrite import Call, calls_of

_HAND_ON = (
    layers.Activation,
    layers.AveragePooling2D,
    layers.Dropout,
    layers.GlobalAveragePooling2D,
    layers.MaxPooling2D,
    layers.ReLU,
    layers.ZeroPadding2D,
)
_TIE = (layers.Add, layers.Maximum, layers.Minimum, layers.Multiply, layers.Subtract)


@dataclass(eq=False)
class Group:
    """Channels that are decided on together."""

    channels: int
    fixed: bool = False
    """Whether all of them must stay: of inputs, outputs, and of what is not understood."""
    makers: list[Any] = field(default_factory=list)
    """Layers whose kernel has these channels last."""
    handlers: list[Any] = field(default_factory=list)
    """Layers with one set of weights a channel: depthwise, normalisation."""
    takers: list[tuple[Any, int]] = field(default_factory=list)
    """(layer, places): the kernel's input axis has these channels, `places` times over."""


@dataclass(frozen=True, eq=False)
class _Carried:
    """The group a tensor's last axis carries, repeated for as many flattened places."""

    group: Group
    places: int = 1


class ChannelGroups:
    """The groups of a functional model."""

    def __init__(self, model: keras.Model) -> None:
        self._same: dict[int, Group] = {}
        self._all: list[Group] = []
        self._carried: dict[int, _Carried] = {}
        source = model.inputs[0]
        self._carried[id(source)] = _Carried(self._new(source.shape[-1], fixed=True))
        for call in calls_of(model):
            self._carried[id(call.output)] = self._visit(call)
        self._root(self._carried[id(model.outputs[0])].group).fixed = True

    def groups(self) -> list[Group]:
        """Each group once, in the order of the model."""
        found: dict[int, Group] = {}
        for group in self._all:
            root = self._root(group)
            found.setdefault(id(root), root)
        return list(found.values())

    def _new(self, channels: int, *, fixed: bool = False) -> Group:
        group = Group(channels, fixed)
        self._all.append(group)
        return group

    def _root(self, group: Group) -> Group:
        while id(group) in self._same:
            group = self._same[id(group)]
        return group

    def _visit(self, call: Call) -> _Carried:
        layer = call.operation
        inputs = [self._carried[id(tensor)] for tensor in call.inputs]
        source = self._root(inputs[0].group)
        if isinstance(layer, layers.Dense) or _is_plain_convolution(layer):
            return self._linear(layer, inputs[0], call)
        if _is_by_channel(layer) and inputs[0].places == 1:
            _once(source.handlers, layer)
            return inputs[0]
        if isinstance(layer, _HAND_ON):
            return inputs[0]
        if isinstance(layer, layers.Flatten):
            places = 1
            for size in call.inputs[0].shape[1:-1]:
                places *= size
            return _Carried(source, inputs[0].places * places)
        if isinstance(layer, _TIE) and len({carried.places for carried in inputs}) == 1:
            return self._tied(inputs)
        return self._unknown(inputs, call)

    def _linear(self, layer: Any, taken: _Carried, call: Call) -> _Carried:  # noqa: ANN401
        source = self._root(taken.group)
        if len(layer._inbound_nodes) > 1:
            return self._unknown([taken], call)
        source.takers.append((layer, taken.places))
        made = self._new(call.output.shape[-1])
        made.makers.append(layer)
        return _Carried(made)

    def _tied(self, inputs: list[_Carried]) -> _Carried:
        first = self._root(inputs[0].group)
        for carried in inputs[1:]:
            other = self._root(carried.group)
            if other is first:
                continue
            if other.channels != first.channels:  # it is broadcast
                first.fixed = other.fixed = True
                continue
            first.fixed = first.fixed or other.fixed
            first.makers += other.makers
            first.handlers += other.handlers
            first.takers += other.takers
            self._same[id(other)] = first
        return inputs[0]

    def _unknown(self, inputs: list[_Carried], call: Call) -> _Carried:
        for carried in inputs:
            self._root(carried.group).fixed = True
        return _Carried(self._new(call.output.shape[-1] or 1, fixed=True))


def _is_plain_convolution(layer: Any) -> bool:  # noqa: ANN401
    return (
        isinstance(layer, layers.Conv2D)
        and not isinstance(layer, layers.DepthwiseConv2D)
        and layer.groups == 1
    )


def _is_by_channel(layer: Any) -> bool:  # noqa: ANN401
    if isinstance(layer, layers.DepthwiseConv2D):
        return bool(layer.depth_multiplier == 1)
    return isinstance(layer, layers.BatchNormalization)


def _once(found: list[Any], layer: Any) -> None:  # noqa: ANN401
    if all(layer is not other for other in found):
        found.append(layer)
