"""RELU, RELU6, LEAKY_RELU, HARD_SWISH, LOGISTIC and TANH."""

from __future__ import annotations

import math

import numpy as np

from tinyml_tool.compiler.fixed_point import (
    Integers,
    high_mul,
    logistic,
    requantize,
    rounding_shift_right,
    saturating_shift_left,
    tanh,
    wrap,
)
from tinyml_tool.compiler.lowering.activation_s16 import WIDE, is_int16
from tinyml_tool.compiler.lowering.byte_function import byte_function_call, every_value
from tinyml_tool.compiler.lowering.requirements import (
    QUANTIZE_AGAIN,
    require_dtype,
    require_input,
    require_operands,
    require_options,
    require_per_tensor,
    require_shape,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.numerics import (
    INTEGER_RANGES,
    as_float32,
    calculate_input_radius,
    quantize_multiplier,
    round_half_away,
)
from tinyml_tool.compiler.plan import KernelCall
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import LeakyReluOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization

_LOW, _HIGH = INTEGER_RANGES[DType.INT8]


def _relu(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Rescale to the output's quantization, then cut off below its zero point."""
    source, target = _quantizations(operator, graph)
    multiplier, shift = quantize_multiplier(source.scale / target.scale)
    values = requantize(_values(source), multiplier, shift)
    lowest = max(_LOW, target.zero_point)
    results = np.minimum(np.maximum(wrap(values + target.zero_point), lowest), _HIGH)
    return byte_function_call(operator, graph, results)


def _relu6(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Clamp between the codes of 0 and 6 of the input; TFLM never looks at the output's."""
    source, _ = _quantizations(operator, graph)
    # The reference rounds this ratio to single precision; those below it computes in double.
    steps = as_float32(6.0 / source.scale)
    if steps >= 2**31:
        raise UnsupportedOperatorError(
            f"its input scale {source.scale:g} is too small to hold the value 6", QUANTIZE_AGAIN
        )
    six = min(max(source.zero_point + round_half_away(steps), _LOW), _HIGH)
    zero = source.zero_point
    values = every_value(DType.INT8)
    results = np.where(values > six, six, np.where(values < zero, zero, values))
    return byte_function_call(operator, graph, results)


def _leaky_relu(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Rescale positive values, and negative ones with the slope alpha, which may be negative."""
    source, target = _quantizations(operator, graph)
    alpha = require_options(operator, LeakyReluOptions).alpha
    slope = source.scale * alpha / target.scale
    alpha_multiplier, alpha_shift = quantize_multiplier(abs(slope))
    multiplier, shift = quantize_multiplier(source.scale / target.scale)
    values = _values(source)
    positive = requantize(values, multiplier, shift)
    negative = requantize(values, alpha_multiplier, alpha_shift)
    if slope < 0:
        negative = -negative
    results = wrap(np.where(values >= 0, positive, negative) + target.zero_point)
    return byte_function_call(operator, graph, np.clip(results, _LOW, _HIGH))


def _hard_swish(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Product of x and relu6(x + 3) / 6 in 16-bit fixed-point arithmetic."""
    source, target = _quantizations(operator, graph)
    fine_scale = source.scale / 128
    multiplier, exponent = quantize_multiplier(fine_scale / target.scale)
    if exponent > 0:
        raise UnsupportedOperatorError(
            f"its output scale {target.scale:g} is less than 1/128 of its input scale "
            f"{source.scale:g}",
            QUANTIZE_AGAIN,
        )
    fine = wrap(_values(source) << 7, 16)
    unshifted = high_mul(fine, _high_half(multiplier), 16)
    gate = _hard_swish_gate(fine, fine_scale)
    # This product is truncated where all others are rounded.
    product = np.trunc(gate * unshifted / 2**15).astype(np.int64)
    results = wrap(rounding_shift_right(product, -exponent, 16) + target.zero_point, 16)
    return byte_function_call(operator, graph, np.clip(results, _LOW, _HIGH))


def _hard_swish_gate(fine: Integers, fine_scale: float) -> Integers:
    """relu6(x + 3) / 6 as Q0.15: x / 3 saturated to [-1, 1), then moved to [0, 1)."""
    multiplier, exponent = quantize_multiplier(fine_scale / (3 / 2**15))
    value = fine
    if exponent > 0:
        # All but one bit of the shift to the left comes first, for precision.
        value = saturating_shift_left(value, exponent - 1, 16)
    value = high_mul(value, _high_half(multiplier), 16)
    if exponent > 0:
        value = saturating_shift_left(value, 1, 16)
    if exponent < 0:
        value = rounding_shift_right(value, -exponent, 16)
    return (value + (1 << 15)) >> 1


def _high_half(multiplier: int) -> int:
    """A Q31 multiplier rounded to Q15."""
    return min((multiplier + (1 << 15)) >> 16, 2**15 - 1)


def _logistic(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Logistic function 1 / (1 + exp(-x)); the output's quantization is fixed."""
    source, target = _quantizations(operator, graph)
    if target.zero_point != _LOW:
        raise UnsupportedOperatorError(
            f"its output zero point is {target.zero_point} (needs -128, with the scale 1/256)",
            QUANTIZE_AGAIN,
        )
    values = _values(source)
    rescaled, radius = _to_q4(values, source)
    results = rounding_shift_right(logistic(rescaled), 23) + _LOW
    return byte_function_call(operator, graph, _saturated(values, radius, results))


def _tanh(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Hyperbolic tangent with scale 1/128 and zero point 0, which TFLM never checks."""
    source, _ = _quantizations(operator, graph)
    values = _values(source)
    rescaled, radius = _to_q4(values, source)
    results = rounding_shift_right(tanh(rescaled), 24)
    return byte_function_call(operator, graph, _saturated(values, radius, results))


def _to_q4(values: Integers, source: Quantization) -> tuple[Integers, int]:
    """Real values as Q4.27, and the magnitude of `values` from which on that would overflow.

    Raises UnsupportedOperatorError where the reference's shift would be undefined.
    """
    fraction, shift = math.frexp(source.scale * 2**27)
    if not 0 <= shift <= 62:
        raise UnsupportedOperatorError(
            f"its input scale {source.scale:g} is not within 2**-28 to 2**35", QUANTIZE_AGAIN
        )
    radius = calculate_input_radius(4, shift)
    within = np.where(np.abs(values) < radius, values, 0)
    # At a larger shift the radius is 0 or 1, so only the value 0 is within it.
    return requantize(within, round_half_away(fraction * 2**31), min(shift, 31)), radius


def _saturated(values: Integers, radius: int, results: Integers) -> Integers:
    """Results within the radius, the limits of int8 outside."""
    clipped = np.clip(results, _LOW, _HIGH)
    return np.where(values <= -radius, _LOW, np.where(values >= radius, _HIGH, clipped))


def _quantizations(operator: Operator, graph: Graph) -> tuple[Quantization, Quantization]:
    """Quantization of input and output, which must be int8 and of the same shape."""
    require_operands(operator, inputs=(1, 1))
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_dtype(source, "input", DType.INT8)
    require_dtype(target, "output", DType.INT8)
    require_shape(target, "output", source.shape)
    return require_per_tensor(source, "input"), require_per_tensor(target, "output")


def _values(source: Quantization) -> Integers:
    """Every input value less the zero point."""
    return every_value(DType.INT8) - source.zero_point


def _by_type(kind: str, narrow: Lowering) -> Lowering:
    """The lowering of `kind` for int16 where the input is of that type, else `narrow`."""

    def lowering(operator: Operator, graph: Graph, machine: Target) -> KernelCall | None:
        if kind in WIDE and is_int16(operator, graph):
            return WIDE[kind](operator, graph)
        return narrow(operator, graph, machine)

    return lowering


_NARROW: dict[str, Lowering] = {
    "RELU": _relu,
    "RELU6": _relu6,
    "LEAKY_RELU": _leaky_relu,
    "HARD_SWISH": _hard_swish,
    "LOGISTIC": _logistic,
    "TANH": _tanh,
}

LOWERINGS: dict[str, Lowering] = {kind: _by_type(kind, narrow) for kind, narrow in _NARROW.items()}
