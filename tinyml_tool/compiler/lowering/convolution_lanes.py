"""CONV_2D by four patches at a time: for cores without DSP instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.fixed_point import Integers, wrap
from tinyml_tool.compiler.lowering.channel_sums import ChannelSums, RequantizedChannels, requantized
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ParamValue,
    ScratchRef,
    TensorRef,
)
from tinyml_tool.compiler.weight_packing import STEP, plain_words

GAIN = 8
LANE_BITS = 24
_FLIP = 128
_BYTES_OF_STEP = {1: 16, 2: 32}
_LAYOUT = {
    1: "one by one: bias, weights",
    2: "two and two: what sums begin with, weights",
}
_WHY = {
    1: "four patches of bytes: the core has neither DSP instructions nor long multiplication",
    2: "two products by one long multiplication",
}


def lane_starts(weights: NDArray[Any], bias: Integers, zero_point: int) -> NDArray[np.int32]:
    """What the sums of two lanes begin with, by channel: [channels, 2] words, the lower first.

    weights: [channels, values].  The lower lane multiplies inputs that have 128 added; 2**23 keep
    it from borrowing from the upper one.
    """
    folded = bias - zero_point * weights.astype(np.int64).sum(axis=1)
    lower = folded - _FLIP * weights.astype(np.int64).sum(axis=1) + (1 << LANE_BITS - 1)
    starts = (folded << LANE_BITS) + lower
    words: NDArray[np.int32] = starts.astype("<i8")[:, None].view("<i4").astype(np.int32)
    return words


def _filters(rest: RequantizedChannels, weights: NDArray[Any], sums: ChannelSums) -> NDArray[Any]:
    """Filters as `patches_lanes_s8.h` wants them: two and two."""
    missing = ((0, -len(weights) % 2), (0, 0))
    words = plain_words(weights, 2)
    starts = np.pad(lane_starts(weights, rest.bias, sums.zero_point), missing)
    constants = np.pad(rest.constants.astype(np.int32), missing)
    parts = (part.reshape(len(words), -1) for part in (starts, words, constants))
    return np.concatenate(list(parts), axis=1).reshape(-1)


def _single_filters(
    rest: RequantizedChannels, weights: NDArray[Any], sums: ChannelSums
) -> NDArray[Any]:
    """Filters as `patches_bytes_s8.h` wants them: one after another."""
    zero = (sums.zero_point + _FLIP) * weights.astype(np.int64).sum(axis=1)
    bias = wrap(rest.bias - zero).astype(np.int32)
    words = plain_words(weights, 1).reshape(len(weights), -1)
    constants = rest.constants.astype(np.int32)
    return np.concatenate([bias[:, None], words, constants], axis=1).reshape(-1)


def lanes_call(
    sums: ChannelSums, params: list[tuple[str, ParamValue]], source: int, target: int, lanes: int
) -> KernelCall | str:
    """The call of `conv_2d_s8_lanes` between two tensors, or why that kernel cannot be used.

    lanes: products of one multiplication: 2, or 1 where the core has none of 64 bits.
    """
    rest = requantized(sums, GAIN)
    if rest is None:
        return "sums may need more than 24 bits"
    channels, values = rest.weights.shape
    weights = np.pad(rest.weights, ((0, 0), (0, -values % STEP)))
    steps = weights.shape[1] // STEP
    filters = (_filters if lanes > 1 else _single_filters)(rest, weights, sums)
    return KernelCall(
        kernel="conv_2d_s8_lanes",
        params=(
            *params,
            ("padding", sums.zero_point),
            ("lanes", lanes),
            ("requantization", rest.mode),
            ("patches.steps", steps),
            ("patches.output_c", channels),
            ("patches.shift", rest.shift),
            ("patches.output_offset", sums.output.zero_point),
            ("patches.activation_min", sums.output.low),
            ("patches.activation_max", sums.output.high),
        ),
        arguments=(
            TensorRef(source),
            ConstantRef("filters"),
            ScratchRef(),
            TensorRef(target),
        ),
        constants=(ConstantArray("filters", filters, f"{_LAYOUT[lanes]}, {rest.names}"),),
        scratch_bytes=steps * _BYTES_OF_STEP[lanes],
        reason=f"{_WHY[lanes]}; {rest.reason}",
    )
