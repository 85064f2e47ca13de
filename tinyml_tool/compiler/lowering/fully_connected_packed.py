"""FULLY_CONNECTED with packed weights: for cores with DSP instructions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.channel_sums import ChannelSums
from tinyml_tool.compiler.lowering.requirements import require_per_tensor, require_quantization
from tinyml_tool.compiler.plan import (
    Argument,
    ConstantArray,
    ConstantRef,
    KernelCall,
    ParamValue,
    TensorRef,
)
from tinyml_tool.compiler.requantization_proof import OutputRange
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


@dataclass(frozen=True, eq=False)
class ProvenLayer:
    """Constant weights and bias, and their proven requantization."""

    sums: ChannelSums
    """Zeros instead of the weights and the bias of outputs that are always the same."""
    factor: int = 0
    """These four are the same for all outputs, or 0 where each has its own."""
    offset: int = 0
    below: int = 0
    shift: int = 0
    by_output: NDArray[np.int32] | None = None
    """[outputs, 4]: factor, offset, below and shift of each."""

    @property
    def numbers(self) -> list[tuple[str, ParamValue]]:
        """The kernels' fields for constants that are the same for all outputs."""
        return [
            ("factor", self.factor),
            ("offset", self.offset),
            ("below", self.below),
            ("shift", self.shift),
        ]

    @property
    def reason(self) -> str:
        """For the user: how sums become outputs."""
        if self.by_output is None:
            return "short requantization, proven for all sums"
        return "short requantization with constants by output, proven for all sums"


def in_fours(
    bias: NDArray[np.int32], words: NDArray[Any] | None, own: NDArray[np.int32] | None
) -> NDArray[np.int32]:
    """What kernels read of each four outputs: biases, weights, and their own constants.

    bias: [outputs].  words: [fours, ...].  own: [outputs, 4]; zeros where there is no output.
    """
    missing = -len(bias) % _OUTPUTS
    parts = [np.pad(bias, (0, missing)).reshape(-1, _OUTPUTS)]
    if words is not None:
        parts.append(words.reshape(len(words), -1))
    if own is not None:
        # Shifts of outputs that are not there are in range, too.
        filled = np.concatenate([own, np.tile(np.array([[0, 0, 0, 1]], np.int32), (missing, 1))])
        parts.append(filled.reshape(len(parts[0]), -1))
    return np.concatenate(parts, axis=1).reshape(-1)


def proven_layer(layer: FullyConnected, graph: Graph, gain: int) -> ProvenLayer | str:
    """What kernels with short requantization need, for sums times 2**gain, or what is missing."""
    if any(require_quantization(layer.weights, "weights").zero_points):
        return "the weights have a zero point"
    given = isinstance(layer.bias, TensorRef)
    bias = graph.tensors[layer.bias.tensor].data if isinstance(layer.bias, TensorRef) else None
    if layer.weights.data is None or (given and bias is None):
        return "weights or bias are computed by the model"
    output_c = layer.weights.shape[0]
    sums = ChannelSums(
        weights=layer.weights.data,
        bias=np.zeros(output_c, np.int64) if bias is None else bias.reshape(-1).astype(np.int64),
        zero_point=require_per_tensor(layer.source, "input").zero_point,
        factors=layer.factors * (output_c // len(layer.factors)),
        output=layer.output,
    )
    alike = _proven_alike(sums, gain) if len(set(layer.factors)) == 1 else None
    # No model has 4-bit weights with scales by output: their kernels need no constants for that.
    found = _proven_by_output(sums, gain) if alike is None and layer.bits == 8 else alike
    return "the short requantization is not proven" if found is None else found


def _proven_alike(sums: ChannelSums, gain: int) -> ProvenLayer | None:
    """With the same constants for all outputs."""
    short = sums.united().proven(gain)
    if short is None:
        return None
    factor, offset, below = (int(v[0]) for v in (short.factors, short.offsets, short.below))
    return ProvenLayer(sums, factor, offset, below, short.shift)


def _proven_by_output(sums: ChannelSums, gain: int) -> ProvenLayer | None:
    """With constants of each output."""
    short = sums.proven_each(gain)
    if short is None:
        return None
    live = ~short.constant
    weights = sums.weights * live[:, None].astype(sums.weights.dtype)
    columns = (short.factors, short.offsets, short.below, short.shifts)
    return ProvenLayer(
        replace(sums, weights=weights, bias=sums.bias * live),
        by_output=np.column_stack(columns).astype(np.int32),
    )


def packed_call(layer: FullyConnected, graph: Graph) -> KernelCall | str:
    """The call of a kernel for packed weights, or why it cannot be used."""
    proven = proven_layer(layer, graph, _GAIN)
    if isinstance(proven, str):
        return proven
    sums = proven.sums
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
            *([("by_output", int(proven.by_output is not None))] if layer.bits == 8 else []),
            *proven.numbers,
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
                in_fours(folded, words(weights, _OUTPUTS), proven.by_output),
                "four and four: biases, weights packed"
                + (", constants of each" if proven.by_output is not None else ""),
            ),
        ),
        reason=f"the core has DSP instructions; {proven.reason}",
    )
