"""FULLY_CONNECTED four outputs at a time: for cores without DSP instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.fixed_point import wrap
from tinyml_tool.compiler.lowering.fully_connected_packed import (
    FullyConnected,
    ProvenLayer,
    in_fours,
    proven_layer,
)
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ParamValue,
    TensorRef,
)
from tinyml_tool.graph.types import Graph

_GAIN = 8
_OUTPUTS = 4
_FLIP = 128


def lane_words(weights: NDArray[Any]) -> NDArray[np.uint32]:
    """Weights as `fully_connected_s8_lanes.h` wants them: two inputs of two outputs a word.

    weights: int8 [outputs, inputs].  Returns [outputs / 4, inputs / 2, 2], both rounded up.
    """
    outputs, inputs = weights.shape
    wide = np.pad(weights.astype(np.int64), ((0, -outputs % _OUTPUTS), (0, inputs % 2)))
    # [four outputs, which pair, lower or upper, pair of inputs, which of them]
    parts = wide.reshape(-1, 2, 2, wide.shape[1] // 2, 2)
    lower, upper = parts[:, :, 0] + _FLIP, parts[:, :, 1] & 0xFF
    words = lower[..., 0] | upper[..., 1] << 8 | lower[..., 1] << 16 | upper[..., 0] << 24
    ordered: NDArray[np.uint32] = words.transpose(0, 2, 1).astype(np.uint32)
    return ordered


def biased_bytes(weights: NDArray[Any]) -> NDArray[np.uint8]:
    """Weights as `fully_connected_s8_bytes.h` wants them: [outputs / 4 rounded up, inputs, 4]."""
    wide = np.pad(weights.astype(np.int16), ((0, -len(weights) % _OUTPUTS), (0, 0))) + _FLIP
    fours = wide.reshape(-1, _OUTPUTS, weights.shape[1]).transpose(0, 2, 1)
    return fours.astype(np.uint8)


def row_lanes_call(layer: FullyConnected, graph: Graph) -> KernelCall | str:
    """The call of `fully_connected_s8_lanes`, or why that kernel cannot be used."""
    proven = proven_layer(layer, graph, _GAIN)
    if isinstance(proven, str):
        return proven
    words = lane_words(proven.sums.weights).reshape(-1).view(np.int32)
    weights = ConstantArray("weights", words, "two inputs of two outputs a word")
    why = "two products by one long multiplication"
    return _call("fully_connected_s8_lanes", layer, proven, weights, why)


def row_bytes_call(layer: FullyConnected, graph: Graph) -> KernelCall | str:
    """The call of `fully_connected_s8_bytes`, or why that kernel cannot be used."""
    proven = proven_layer(layer, graph, _GAIN)
    if isinstance(proven, str):
        return proven
    weights = ConstantArray(
        "weights", biased_bytes(proven.sums.weights).reshape(-1), "four outputs together, plus 128"
    )
    why = "unsigned weights, for cores without DSP instructions"
    return _call("fully_connected_s8_bytes", layer, proven, weights, why)


def _call(
    kernel: str, layer: FullyConnected, proven: ProvenLayer, weights: ConstantArray, why: str
) -> KernelCall:
    output_c, input_c = layer.weights.shape
    sums = proven.sums
    zero = sums.zero_point * sums.weights.astype(np.int64).sum(axis=1)
    bias = wrap(sums.bias - zero).astype(np.int32)
    own = "" if proven.by_output is None else ", then constants of each"
    numbers: dict[str, ParamValue] = {
        "rows": layer.rows,
        "input_c": input_c,
        "output_c": output_c,
        **dict(proven.numbers),
        "activation_min": layer.output.low,
        "activation_max": layer.output.high,
    }
    return KernelCall(
        kernel=kernel,
        params=(
            *((f"all.{name}", value) for name, value in numbers.items()),
            ("by_output", int(proven.by_output is not None)),
        ),
        arguments=(
            TensorRef(layer.source.index),
            ConstantRef("weights"),
            ConstantRef("constants"),
            TensorRef(layer.target.index),
        ),
        constants=(
            weights,
            ConstantArray(
                "constants",
                in_fours(bias, None, proven.by_output),
                f"four and four: biases with the zero point{own}",
            ),
        ),
        reason=f"{why}; {proven.reason}",
    )
