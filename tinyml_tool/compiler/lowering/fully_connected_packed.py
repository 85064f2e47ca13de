"""FULLY_CONNECTED with packed weights: for cores with DSP instructions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.channel_sums import ChannelSums
from tinyml_tool.compiler.lowering.requirements import require_per_tensor
from tinyml_tool.compiler.plan import (
    Argument,
    ConstantArray,
    ConstantRef,
    KernelCall,
    TensorRef,
)
from tinyml_tool.compiler.requantization_proof import OutputRange, ShortRequantization
from tinyml_tool.compiler.weight_packing import (
    BITS_OF_TWO_SUMS,
    STEP,
    fits_packed_words,
    folded_bias,
    nibble_words,
    packed_words,
)
from tinyml_tool.graph.types import Graph, Tensor

_GAIN = 8
_OUTPUTS = 4


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """The checked operands of a fully connected layer."""

    rows: int
    source: Tensor
    weights: Tensor
    bias: Argument
    target: Tensor
    factors: tuple[float, ...]
    """From a sum to an output: one for all outputs, or one for each."""
    output: OutputRange
    bits: int = 8
    """Of a weight in flash."""


def _filters(words: NDArray[np.int32], bias: NDArray[np.int32]) -> NDArray[np.int32]:
    """Filters as the kernels want them: four biases before the words of four outputs."""
    biases = np.pad(bias, (0, -len(bias) % _OUTPUTS)).reshape(-1, _OUTPUTS)
    return np.concatenate([biases, words.reshape(len(words), -1)], axis=1).reshape(-1)


@dataclass(frozen=True, eq=False)
class ProvenLayer:
    """Constant weights and bias with one scale, and their proven requantization."""

    sums: ChannelSums
    short: ShortRequantization


def proven_layer(layer: FullyConnected, graph: Graph, gain: int) -> ProvenLayer | str:
    """What kernels with short requantization need, for sums times 2**gain, or what is missing."""
    if len(layer.factors) > 1 or require_per_tensor(layer.weights, "weights").zero_point != 0:
        return "the weights have scales by output, or a zero point"
    given = isinstance(layer.bias, TensorRef)
    bias = graph.tensors[layer.bias.tensor].data if isinstance(layer.bias, TensorRef) else None
    if layer.weights.data is None or (given and bias is None):
        return "weights or bias are computed by the model"
    zeros = np.zeros(layer.weights.shape[0], np.int64)
    sums = ChannelSums(
        weights=layer.weights.data,
        bias=zeros if bias is None else bias.reshape(-1).astype(np.int64),
        zero_point=require_per_tensor(layer.source, "input").zero_point,
        factors=layer.factors,
        output=layer.output,
    )
    short = sums.united().proven(gain)
    return "the short requantization is not proven" if short is None else ProvenLayer(sums, short)


def packed_call(layer: FullyConnected, graph: Graph) -> KernelCall | str:
    """The call of a kernel for packed weights, or why it cannot be used."""
    proven = proven_layer(layer, graph, _GAIN)
    if isinstance(proven, str):
        return proven
    sums, short = proven.sums, proven.short
    output_c, input_c = layer.weights.shape
    weights = np.pad(sums.weights, ((0, 0), (0, -input_c % STEP)))
    if layer.bits == 8 and not fits_packed_words(weights):
        return "a weight of -128 stands before a negative one"
    if layer.bits == 4 and not sums.range.within(BITS_OF_TWO_SUMS):
        return f"sums may need more than {BITS_OF_TWO_SUMS} bits"
    folded = folded_bias(weights, sums.bias, sums.zero_point, _GAIN)
    words = packed_words if layer.bits == 8 else nibble_words
    # The kernel for 4 bits always clamps: an instruction or two an output.
    clamps = (layer.output.low, layer.output.high) != (-128, 127)
    return KernelCall(
        kernel=f"fully_connected_s{layer.bits}_packed",
        params=(
            ("rows", layer.rows),
            ("input_c", input_c),
            ("output_c", output_c),
            ("factor", int(short.factors[0])),
            ("offset", int(short.offsets[0])),
            ("below", int(short.below[0])),
            ("shift", short.shift),
            *([("clamps", int(clamps))] if layer.bits == 8 else []),
            ("activation_min", layer.output.low),
            ("activation_max", layer.output.high),
        ),
        arguments=(
            TensorRef(layer.source.index),
            ConstantRef("filters"),
            TensorRef(layer.target.index),
        ),
        constants=(
            ConstantArray(
                "filters",
                _filters(words(weights, _OUTPUTS), folded),
                "four and four: biases, weights packed",
            ),
        ),
        reason="the core has DSP instructions; short requantization, proven for all sums",
    )
