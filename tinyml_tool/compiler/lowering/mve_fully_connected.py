"""FULLY_CONNECTED for cores with vector instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.channel_sums import ChannelSums
from tinyml_tool.compiler.lowering.fully_connected_packed import FullyConnected
from tinyml_tool.compiler.lowering.mve_requantization import (
    LANES,
    repeated_channels,
    vector_requantization,
)
from tinyml_tool.compiler.lowering.requirements import require_per_tensor
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ScratchRef,
    TensorRef,
)
from tinyml_tool.graph.types import Graph

_OUTPUTS = 4


def _four_and_four(weights: NDArray[Any]) -> NDArray[np.int8]:
    """Rows of weights in fours, in whole steps: [fours, steps, 4, 16]."""
    output_c, input_c = weights.shape
    padded = np.pad(weights, ((0, -output_c % _OUTPUTS), (0, -input_c % LANES)))
    steps = padded.reshape(-1, _OUTPUTS, padded.shape[1] // LANES, LANES).transpose(0, 2, 1, 3)
    packed: NDArray[np.int8] = np.ascontiguousarray(steps, np.int8)
    return packed


def mve_fully_connected_call(layer: FullyConnected, graph: Graph) -> KernelCall | str:
    """The call of `fully_connected_s8_mve`, or why that kernel cannot be used."""
    if any(layer.weights.quantization.zero_points if layer.weights.quantization else ()):
        return "the weights have a zero point"
    output_c, input_c = layer.weights.shape
    bias: NDArray[Any] | None = np.zeros(output_c, np.int64)
    if isinstance(layer.bias, TensorRef):
        bias = graph.tensors[layer.bias.tensor].data
    if layer.weights.data is None or bias is None:
        return "weights or bias are computed by the model"
    factors = layer.factors if len(layer.factors) == output_c else layer.factors * output_c
    rest = vector_requantization(
        ChannelSums(
            weights=layer.weights.data,
            bias=bias.reshape(-1).astype(np.int64),
            zero_point=require_per_tensor(layer.source, "input").zero_point,
            factors=factors,
            output=layer.output,
        )
    )
    blocks = -(-output_c // LANES)
    copy = 0 if input_c % LANES == 0 else -(-input_c // LANES) * LANES
    return KernelCall(
        kernel="fully_connected_s8_mve",
        params=(
            ("rows", layer.rows),
            ("input_c", input_c),
            ("output_c", output_c),
            *rest.params(1),
        ),
        arguments=(
            TensorRef(layer.source.index),
            ConstantRef("weights"),
            ConstantRef("constants"),
            ScratchRef(),
            TensorRef(layer.target.index),
        ),
        constants=(
            ConstantArray(
                "weights",
                _four_and_four(layer.weights.data).reshape(-1),
                "four and four rows, 16 and 16 bytes",
            ),
            rest.table(repeated_channels(output_c, blocks)),
        ),
        scratch_bytes=4 * LANES + copy,
        reason=f"the core has vector instructions; {rest.reason}",
    )
