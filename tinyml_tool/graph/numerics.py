"""Fixed-point parameters, computed exactly as TensorFlow Lite Micro computes them."""

from __future__ import annotations

import math

import numpy as np

from tinyml_tool.graph.options import Activation
from tinyml_tool.graph.types import DType, Quantization
from tinyml_tool.graph.unsupported_operator import UnsupportedOperatorError

INTEGER_RANGES = {
    DType.INT8: (-128, 127),
    DType.UINT8: (0, 255),
    DType.INT16: (-(2**15), 2**15 - 1),
    DType.INT32: (-(2**31), 2**31 - 1),
}
"""Smallest and largest value of the quantized types."""

# Shifts of `tinyml_requantize`. The reference flushes what lies below to zero too.
_SHIFT_MIN = -31
_SHIFT_MAX = 31


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Split a real factor into a Q31 multiplier and a power-of-two shift (positive: to the left).

    Returns (multiplier, shift) with 2**30 <= abs(multiplier) <= 2**31, below 2**31 where positive,
    and real ~= multiplier * 2**(shift - 31); (0, 0) for a magnitude below about 2**-32.
    Raises UnsupportedOperatorError where `real` is not finite or its magnitude is 2**31 or more.
    Source: gemmlowp's quantized multiplication scheme (Jacob et al. 2018, section 2.2).
    """
    fraction, shift = math.frexp(real) if math.isfinite(real) else (0.0, _SHIFT_MAX + 1)
    multiplier = round_half_away(fraction * 2**31)
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift > _SHIFT_MAX:
        raise UnsupportedOperatorError(
            f"the ratio of its scales, {real:g}, is not below 2**31",
            "quantize the model again with representative data",
        )
    if shift < _SHIFT_MIN:
        return 0, 0
    return multiplier, shift


def round_half_away(value: float) -> int:
    """The integer nearest to `value`, halves away from zero, as C's round()."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


def as_float32(value: float) -> float:
    """`value` rounded to single precision."""
    return float(np.float32(value))


def activation_range(
    activation: Activation, dtype: DType, quantization: Quantization
) -> tuple[int, int]:
    """Smallest and largest quantized output value that a fused activation lets through.

    Raises UnsupportedOperatorError for an activation without a quantized form.
    """
    low, high = INTEGER_RANGES[dtype]
    match activation:
        case Activation.NONE:
            return low, high
        case Activation.RELU:
            return max(low, _quantize(0.0, quantization)), high
        case Activation.RELU6:
            return max(low, _quantize(0.0, quantization)), min(high, _quantize(6.0, quantization))
        case Activation.RELU_N1_TO_1:
            return max(low, _quantize(-1.0, quantization)), min(high, _quantize(1.0, quantization))
    raise UnsupportedOperatorError(
        f"fused activation {activation.name} has no quantized form",
        f"use {activation.name} as a layer of its own, or RELU or RELU6",
    )


def _quantize(real: float, quantization: Quantization) -> int:
    """Quantize without clamping; the division is rounded to single precision."""
    steps = float(np.float32(real) / np.float32(quantization.scale))
    if not -(2.0**31) <= steps <= 2.0**31:
        raise UnsupportedOperatorError(
            f"its output scale {quantization.scale:g} is too small for its fused activation",
            "quantize the model again with representative data",
        )
    return quantization.zero_point + round_half_away(steps)


def calculate_input_radius(integer_bits: int, left_shift: int, total_signed_bits: int = 31) -> int:
    """Largest input difference whose rescaled value still fits `integer_bits` integer bits.

    Inputs whose magnitude is beyond it saturate.  Source: TensorFlow Lite quantization_util.
    """
    largest = (1.0 * ((1 << integer_bits) - 1) * (1 << (total_signed_bits - integer_bits))) / (
        1 << left_shift
    )
    return math.floor(largest)
