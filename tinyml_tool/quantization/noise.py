"""How much noise quantization adds, layer by layer, on the user's samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.problem import layer_name
from tinyml_tool.graph.types import Graph, Operator, Tensor
from tinyml_tool.quantization.samples import Samples
from tinyml_tool.reference.reference import LayerRunner

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")

NOISELESS_DB = 150.0
"""Ratios are cut here: float32 itself carries no more."""


@dataclass(frozen=True)
class LayerPair:
    """The same layer before and after quantization."""

    before: Operator
    after: Operator


@dataclass(frozen=True)
class LayerNoise:
    """Signal against quantization noise at one layer's output, over all samples."""

    layer: str
    """Name in the float model, such as "layer 3 CONV_2D"."""
    index: int
    """Number of the operator in the float model."""
    kind: str
    tensor: str
    """Name of its output in the float model."""
    sqnr_db: float
    """10 * log10(power of the float values / power of the difference); all noise up to here."""
    added_db: float
    """By how much it is noisier than the noisiest of its inputs; 0 where it is not."""


@dataclass(frozen=True)
class NoiseProfile:
    """Noise of all layers that could be matched, in execution order."""

    layers: tuple[LayerNoise, ...]
    unmatched: tuple[str, ...]
    """Layers of the float model without a counterpart."""
    matched_by: str
    """The rule that matched them: "order" or "name"."""
    samples: int


def match_layers(before: Graph, after: Graph) -> tuple[tuple[LayerPair, ...], str]:
    """Pair the layers of a float model with those of its quantized form.

    Rule: QUANTIZE and DEQUANTIZE left aside, operators are paired in execution order if both
    models have the same kinds with the same output shapes in that order ("order"); otherwise those
    whose first output has the same name and shape in both ("name").
    """
    old = [operator for operator in before.operators if operator.kind not in _CONVERSIONS]
    new = [operator for operator in after.operators if operator.kind not in _CONVERSIONS]
    if [_face(op, before) for op in old] == [_face(op, after) for op in new]:
        return tuple(LayerPair(*pair) for pair in zip(old, new, strict=True)), "order"
    named = {_output(op, after).name: op for op in new}
    pairs = []
    for operator in old:
        output = _output(operator, before)
        other = named.get(output.name)
        if other is not None and _output(other, after).shape == output.shape:
            pairs.append(LayerPair(operator, other))
    return tuple(pairs), "name"


def measure_noise(
    before: tuple[Graph, LayerRunner],
    after: tuple[Graph, LayerRunner],
    samples: Samples,
    progress: Callable[[str], None],
) -> NoiseProfile:
    """Run both models on every sample and compare the outputs of all matched layers."""
    old_graph, old = before
    new_graph, new = after
    pairs, rule = match_layers(old_graph, new_graph)
    powers = {pair.before.index: _Powers() for pair in pairs}
    entered: dict[int, _Powers] = {}
    for number, vector in enumerate(samples.vectors):
        progress(f"measuring noise on sample {number + 1} of {len(samples)}")
        real = old.run_layers(vector)
        fitted = fit_inputs(vector, new_graph)
        for place, index in enumerate(old_graph.inputs):
            tensor = new_graph.tensor(new_graph.inputs[place])
            entered.setdefault(index, _Powers()).add(
                vector[place], dequantize(fitted[place], tensor)
            )
        rough = new.run_layers(fitted)
        for pair in pairs:
            output = new_graph.tensor(pair.after.outputs[0])
            powers[pair.before.index].add(
                real[pair.before.outputs[0]], dequantize(rough[output.index], output)
            )
    at_tensor = {index: value.db for index, value in entered.items()}
    at_tensor |= {pair.before.outputs[0]: powers[pair.before.index].db for pair in pairs}
    return NoiseProfile(
        layers=tuple(_layer(old_graph, pair.before, at_tensor) for pair in pairs),
        unmatched=_unmatched(old_graph, pairs),
        matched_by=rule,
        samples=len(samples),
    )


def ratio_db(signal: float, noise: float) -> float:
    """10 * log10(signal / noise), cut at `NOISELESS_DB` on both sides."""
    if noise <= 0:
        return NOISELESS_DB
    if signal <= 0:
        return -NOISELESS_DB
    return min(NOISELESS_DB, 10 * math.log10(signal / noise))


@dataclass
class _Powers:
    """Sums of squares of values and of differences from them."""

    signal: float = 0.0
    noise: float = 0.0

    def add(self, real: NDArray[Any], rough: NDArray[np.float64]) -> None:
        exact = real.astype(np.float64).reshape(-1)
        self.signal += float(exact @ exact)
        difference = exact - rough.reshape(-1)
        self.noise += float(difference @ difference)

    @property
    def db(self) -> float:
        return ratio_db(self.signal, self.noise)


def dequantize(values: NDArray[Any], tensor: Tensor) -> NDArray[np.float64]:
    """The real numbers that `values` of a tensor stand for."""
    stored = tensor.quantization
    if stored is None or not stored.scales or values.dtype.kind == "f":
        return values.astype(np.float64)
    return (values.astype(np.float64) - stored.zero_point) * stored.scale


def fit_inputs(vector: Sequence[NDArray[np.float32]], graph: Graph) -> list[NDArray[Any]]:
    """Real inputs in the types of a quantized model: halves to even, cut to the type's range."""
    fitted: list[NDArray[Any]] = []
    for values, index in zip(vector, graph.inputs, strict=True):
        tensor = graph.tensor(index)
        target = tensor.dtype.numpy
        if target.kind == "f" or tensor.quantization is None:
            fitted.append(values.astype(target).reshape(tensor.shape))
            continue
        limits = np.iinfo(target)
        stored = tensor.quantization
        scaled = np.rint(values.astype(np.float64) / stored.scale) + stored.zero_point
        fitted.append(np.clip(scaled, limits.min, limits.max).astype(target).reshape(tensor.shape))
    return fitted


def _face(operator: Operator, graph: Graph) -> tuple[str, tuple[int, ...]]:
    return operator.kind, _output(operator, graph).shape


def _output(operator: Operator, graph: Graph) -> Tensor:
    return graph.tensor(operator.outputs[0])


def _layer(graph: Graph, operator: Operator, at_tensor: Mapping[int, float]) -> LayerNoise:
    own = at_tensor[operator.outputs[0]]
    entering = min(
        (at_tensor[index] for index in operator.inputs if index in at_tensor),
        default=NOISELESS_DB,
    )
    return LayerNoise(
        layer=layer_name(operator),
        index=operator.index,
        kind=operator.kind,
        tensor=_output(operator, graph).name,
        sqnr_db=round(own, 2),
        added_db=round(max(0.0, entering - own), 2),
    )


def _unmatched(graph: Graph, pairs: Sequence[LayerPair]) -> tuple[str, ...]:
    matched = {pair.before.index for pair in pairs}
    return tuple(
        layer_name(operator)
        for operator in graph.operators
        if operator.index not in matched and operator.kind not in _CONVERSIONS
    )
