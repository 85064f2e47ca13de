"""Requantization factors of layers that accumulate products of input and weights."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tinyml_tool.compiler.numerics import quantize_multiplier
from tinyml_tool.compiler.plan import ConstantArray
from tinyml_tool.graph.types import Quantization


def channel_factors(
    source: Quantization, weights: Quantization, target: Quantization, channels: int
) -> list[float]:
    """Real factor of each output channel; a single weights scale counts for all channels."""
    scales = weights.scales if len(weights.scales) > 1 else weights.scales * channels
    return [source.scale * scale / target.scale for scale in scales]


def requantization_constants(factors: Iterable[float]) -> tuple[ConstantArray, ConstantArray]:
    """The arrays `multipliers` and `shifts` of a kernel, one element a factor."""
    pairs = [quantize_multiplier(factor) for factor in factors]
    multipliers = np.array([multiplier for multiplier, _ in pairs], np.int32)
    shifts = np.array([shift for _, shift in pairs], np.int8)
    return (
        ConstantArray("multipliers", multipliers, "accumulator to output: factor * 2^(31 - shift)"),
        ConstantArray("shifts", shifts, "accumulator to output: left where positive"),
    )
