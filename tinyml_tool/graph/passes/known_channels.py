"""Finds channels whose values no input of the model can change, with those values.

An abstract interpretation: for each int8 tensor a mask over its last axis and, where the mask is
set, the values of all positions, computed with the reference's own integer arithmetic. A channel
of a convolution is known where all weights on unknown channels are zero; what the known ones add
is summed over the taps inside the input, as the kernel does it, so that borders are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.fixed_point import Integers, requantize, wrap
from tinyml_tool.graph.numerics import activation_range, quantize_multiplier
from tinyml_tool.graph.options import (
    Activation,
    Conv2DOptions,
    ElementwiseOptions,
    FullyConnectedOptions,
    Pool2DOptions,
)
from tinyml_tool.graph.passes.layer_forms import is_plain, mean_axes
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor
from tinyml_tool.graph.unsupported_operator import UnsupportedOperatorError
from tinyml_tool.graph.windows import windows

_HEADROOM = 20
"""Bits by which ADD shifts its inputs to the left."""


@dataclass(frozen=True, eq=False)
class Known:
    """Which channels of a tensor are known, and their values (elsewhere anything)."""

    mask: NDArray[np.bool_]
    """One for each index of the last axis."""
    values: Integers
    """Of the tensor's shape."""

    @property
    def any(self) -> bool:
        """Whether a channel is known."""
        return bool(self.mask.any())


_Facts = Mapping[int, Known]
_Rule = Callable[[Operator, Graph, _Facts], "Known | None"]


def nothing_known(tensor: Tensor) -> Known:
    """Every channel depends on the inputs."""
    return Known(np.zeros(tensor.shape[-1], np.bool_), np.zeros(tensor.shape, np.int64))


def known_channels(graph: Graph) -> dict[int, Known]:
    """What is known of each tensor that an operator with a rule computes."""
    facts: dict[int, Known] = {}
    for operator in graph.operators:
        rule = _RULES.get(operator.kind)
        if rule is None or not is_plain(operator, graph):
            continue
        try:
            known = rule(operator, graph, facts)
        except UnsupportedOperatorError:
            continue  # no engine runs it, and the compiler says why
        if known is not None and known.any:
            facts[operator.outputs[0]] = known
    return facts


def of(facts: _Facts, tensor: Tensor) -> Known:
    """What is known of `tensor`."""
    return facts.get(tensor.index) or nothing_known(tensor)


def weights_of(operator: Operator, graph: Graph) -> Integers:
    """The weights less their zero point, which is 0 but in fully connected layers."""
    tensor = graph.tensor(operator.inputs[1])
    assert tensor.data is not None
    assert tensor.quantization is not None
    return tensor.data.astype(np.int64) - tensor.quantization.zero_point


def bias_of(operator: Operator, graph: Graph, channels: int) -> Integers:
    """The bias, zeros where it is absent."""
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return np.zeros(channels, np.int64)
    data = graph.tensor(operator.inputs[2]).data
    assert data is not None
    return data.reshape(-1).astype(np.int64)


def windows_of(operator: Operator, graph: Graph, values: Integers) -> Integers:
    """What the taps of a convolution meet: [output_h, output_w, filter_h, filter_w, channels].

    `values` are [1, height, width, channels]; padding counts as 0.
    """
    rows, columns = (window.indices() for window in windows(operator, graph))
    padded = np.pad(values[0], ((0, 1), (0, 1), (0, 0)))  # index -1 meets the zeros behind
    return padded[rows[:, None, :, None], columns[None, :, None, :]]


def centred(tensor: Tensor, known: Known, channels: NDArray[np.intp]) -> Integers:
    """Values of known channels less the zero point."""
    assert tensor.quantization is not None
    return known.values[..., channels] - tensor.quantization.zero_point


def contribution(
    operator: Operator, graph: Graph, known: Known, channels: NDArray[np.intp]
) -> Integers:
    """What these known input channels add to the accumulators, of the output's shape."""
    source = graph.tensor(operator.inputs[0])
    shape = graph.tensor(operator.outputs[0]).shape
    weights = weights_of(operator, graph)
    values = centred(source, known, channels)
    if operator.kind == "FULLY_CONNECTED":
        return (values @ weights[:, channels].T).reshape(shape)
    met = windows_of(operator, graph, values)
    added: Integers = np.einsum("yxijc,oijc->yxo", met, weights[..., channels])
    return added.reshape(shape)


def _rescaled(
    operator: Operator, graph: Graph, sums: Integers, factors: list[float], activation: Activation
) -> Integers:
    """Accumulators as int8 output values; one factor for all channels, or one for each."""
    target = graph.tensor(operator.outputs[0])
    assert target.quantization is not None
    low, high = activation_range(activation, DType.INT8, target.quantization)
    pairs = np.array([quantize_multiplier(factor) for factor in factors], np.int64)
    scaled = requantize(wrap(sums), pairs[:, 0], pairs[:, 1])
    return np.clip(wrap(scaled + target.quantization.zero_point), low, high)


def _factors(operator: Operator, graph: Graph) -> list[float]:
    source, weights = (graph.tensor(index).quantization for index in operator.inputs[:2])
    target = graph.tensor(operator.outputs[0]).quantization
    assert source is not None
    assert weights is not None
    assert target is not None
    return [source.scale * scale / target.scale for scale in weights.scales]


def _selected(mask: NDArray[np.bool_], factors: list[float]) -> list[float]:
    if len(factors) == 1:
        return factors
    return [factor for factor, wanted in zip(factors, mask, strict=True) if wanted]


def _spread(
    operator: Operator,
    graph: Graph,
    mask: NDArray[np.bool_],
    sums: Integers,
    activation: Activation,
) -> Known | None:
    """What is known of the output, from the accumulators of the channels in `mask`."""
    if not mask.any():
        return None
    values = np.zeros(graph.tensor(operator.outputs[0]).shape, np.int64)
    factors = _selected(mask, _factors(operator, graph))
    values[..., mask] = _rescaled(operator, graph, sums, factors, activation)
    return Known(mask, values)


def _dense(operator: Operator, graph: Graph, facts: _Facts) -> Known | None:
    """CONV_2D of one group and FULLY_CONNECTED."""
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    options = operator.options
    assert isinstance(options, Conv2DOptions | FullyConnectedOptions)
    known, weights = of(facts, source), weights_of(operator, graph)
    if weights.shape[-1] != source.shape[-1]:
        return None
    unknown = weights[..., ~known.mask].reshape(weights.shape[0], -1)
    mask: NDArray[np.bool_] = np.logical_not(unknown.any(axis=1))
    if not mask.any():
        return None
    sums = np.broadcast_to(bias_of(operator, graph, len(mask)), target.shape)
    if known.any:
        sums = sums + contribution(operator, graph, known, np.flatnonzero(known.mask))
    return _spread(operator, graph, mask, sums[..., mask], options.activation)


def _depthwise(operator: Operator, graph: Graph, facts: _Facts) -> Known | None:
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    options = operator.options
    assert isinstance(options, Conv2DOptions)
    known, weights = of(facts, source), weights_of(operator, graph)[0]
    inputs = np.arange(weights.shape[-1]) // options.depth_multiplier
    zero = ~weights.any(axis=(0, 1))
    mask = zero | known.mask[inputs]
    if not mask.any():
        return None
    sums = np.zeros((*target.shape[1:3], int(mask.sum())), np.int64)
    sums += bias_of(operator, graph, weights.shape[-1])[mask]
    moving = np.flatnonzero(mask & ~zero)
    if moving.size:
        met = windows_of(operator, graph, centred(source, known, inputs[moving]))
        places = np.searchsorted(np.flatnonzero(mask), moving)
        sums[..., places] += np.einsum("yxijc,ijc->yxc", met, weights[..., moving])
    return _spread(operator, graph, mask, sums[None], options.activation)


def _pool(operator: Operator, graph: Graph, facts: _Facts) -> Known | None:
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    known, options = of(facts, source), operator.options
    assert isinstance(options, Pool2DOptions)
    assert target.quantization is not None
    if not known.any:
        return None
    rows, columns = (window.indices() for window in windows(operator, graph))
    values = known.values[0][rows[:, None, :, None], columns[None, :, None, :]]
    inside = ((rows >= 0)[:, None, :, None] & (columns >= 0)[None, :, None, :])[..., None]
    if operator.kind == "MAX_POOL_2D":
        pooled = np.where(inside, values, -128).max(axis=(2, 3))
    else:
        count = inside.sum(axis=(2, 3))
        sums = np.where(inside, values, 0).sum(axis=(2, 3))
        pooled = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
    low, high = activation_range(options.activation, DType.INT8, target.quantization)
    return Known(known.mask, np.clip(pooled, low, high)[None])


def _mean(operator: Operator, graph: Graph, facts: _Facts) -> Known | None:
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    known, axes = of(facts, source), mean_axes(operator, graph)
    if axes is None or not known.any:
        return None
    assert source.quantization is not None
    assert target.quantization is not None
    sums = (known.values - source.quantization.zero_point).sum(axis=axes)
    multiplier, shift = quantize_multiplier(source.quantization.scale / target.quantization.scale)
    count = known.values.size // sums.size
    # As the reference folds the division by the count into the factor.
    extra = min(count.bit_length() - 1, 32, shift + 31)
    scaled = requantize(wrap(sums), (multiplier << extra) // count, shift - extra)
    values = np.clip(wrap(scaled + target.quantization.zero_point), -128, 127)
    return Known(known.mask, values.reshape(target.shape))


def _add(operator: Operator, graph: Graph, facts: _Facts) -> Known | None:
    first, second = (graph.tensor(index) for index in operator.inputs)
    target, options = graph.tensor(operator.outputs[0]), operator.options
    assert isinstance(options, ElementwiseOptions)
    known_1, known_2 = of(facts, first), of(facts, second)
    mask = known_1.mask & known_2.mask
    if not mask.any():
        return None
    one, other, result = first.quantization, second.quantization, target.quantization
    assert one is not None
    assert other is not None
    assert result is not None
    twice_larger = 2 * max(one.scale, other.scale)
    sums = np.zeros(target.shape, np.int64)
    for quantization, known in ((one, known_1), (other, known_2)):
        shifted = (known.values - quantization.zero_point) << _HEADROOM
        sums += requantize(shifted, *quantize_multiplier(quantization.scale / twice_larger))
    factor = twice_larger / (2**_HEADROOM * result.scale)
    return Known(mask, _rescaled(operator, graph, sums, [factor], options.activation))


def _concatenation(operator: Operator, graph: Graph, facts: _Facts) -> Known | None:
    """Along the last axis; `is_plain` has made sure of that."""
    parts = [of(facts, graph.tensor(index)) for index in operator.inputs]
    return Known(
        np.concatenate([part.mask for part in parts]),
        np.concatenate([part.values for part in parts], axis=-1),
    )


def _reshape(operator: Operator, graph: Graph, facts: _Facts) -> Known | None:
    """The last axis stays, or swallows those before it."""
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    known = of(facts, source)
    mask = np.tile(known.mask, target.shape[-1] // source.shape[-1])
    return Known(mask, known.values.reshape(target.shape))


_RULES: dict[str, _Rule] = {
    "CONV_2D": _dense,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "ADD": _add,
    "CONCATENATION": _concatenation,
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
}
