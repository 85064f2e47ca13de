"""Operators that make each 8-bit value from one 8-bit value, as tables of all 256."""

from __future__ import annotations

import numpy as np

from tinyml_tool.graph.fixed_point import Integers, requantize, wrap
from tinyml_tool.graph.numerics import (
    INTEGER_RANGES,
    as_float32,
    quantize_multiplier,
    round_half_away,
)
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

_BYTES = (DType.INT8, DType.UINT8)


def every_value(dtype: DType) -> Integers:
    """The 256 values of an 8-bit type, ascending."""
    low, high = INTEGER_RANGES[dtype]
    return np.arange(low, high + 1, dtype=np.int64)


def byte_table(operator: Operator, graph: Graph) -> Integers | None:
    """What QUANTIZE, RELU or RELU6 makes of `every_value` of its input; None for others.

    Raises UnsupportedOperatorError where its scales are out of the reference's range.
    """
    if len(operator.inputs) != 1 or len(operator.outputs) != 1:
        return None
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    both_int8 = source.dtype is DType.INT8 and target.dtype is DType.INT8
    if source.is_constant or not _is_byte(source) or not _is_byte(target):
        return None
    if operator.kind == "QUANTIZE":
        return rescaling_table(source, target)
    if operator.kind == "RELU" and both_int8:
        return np.maximum(rescaling_table(source, target), max(-128, _zero(target)))
    return _relu6(source) if operator.kind == "RELU6" and both_int8 else None


def _is_byte(tensor: Tensor) -> bool:
    return tensor.dtype in _BYTES and _single(tensor) is not None


def rescaling_table(source: Tensor, target: Tensor) -> Integers:
    """QUANTIZE from the type and quantization of one tensor to those of another."""
    before, after = _single(source), _single(target)
    assert before is not None
    assert after is not None
    multiplier, shift = quantize_multiplier(before.scale / after.scale)
    values = requantize(every_value(source.dtype) - before.zero_point, multiplier, shift)
    return np.clip(wrap(values + after.zero_point), *INTEGER_RANGES[target.dtype])


def _relu6(source: Tensor) -> Integers | None:
    """Clamped between the codes of 0 and 6 of the input's quantization."""
    steps = as_float32(6.0 / _scale(source))
    if steps >= 2**31:
        return None
    six = min(max(_zero(source) + round_half_away(steps), -128), 127)
    values = every_value(DType.INT8)
    return np.where(values > six, six, np.maximum(values, _zero(source)))


def _single(tensor: Tensor) -> Quantization | None:
    """The quantization where it is one scale for all."""
    quantization = tensor.quantization
    return quantization if quantization and len(quantization.scales) == 1 else None


def _zero(tensor: Tensor) -> int:
    assert tensor.quantization is not None
    return tensor.quantization.zero_point


def _scale(tensor: Tensor) -> float:
    assert tensor.quantization is not None
    return tensor.quantization.scale


def looked_up(values: Integers, table: Integers, dtype: DType) -> Integers:
    """The table's results for these values of its input's type."""
    return table[values - INTEGER_RANGES[dtype][0]]
