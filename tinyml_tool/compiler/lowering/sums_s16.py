"""Sums of layers with 16-bit activations and 8-bit weights: how wide they are, how they are scaled.

Source of the arithmetic: TensorFlow Lite's `MultiplyByQuantizedMultiplier` for int32 and for int64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.requantization import requantization_constants
from tinyml_tool.compiler.lowering.requirements import (
    CONVERT_AGAIN,
    QUANTIZE_AGAIN,
    require_data,
)
from tinyml_tool.compiler.numerics import quantize_multiplier
from tinyml_tool.compiler.plan import (
    Argument,
    ConstantArray,
    ConstantRef,
    NullRef,
    ParamValue,
    TensorRef,
)
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.types import DType, Tensor

_TWICE, _ONCE, _HIGH_WORD = 0, 1, 2
"""As in `kernels/requantize_s16.h`."""

_LARGEST_INPUT = 2**15
_SUM_LIMIT = 2**47
"""Sums below it, times 15 bits, fit 64 bits: the reference's own limit."""


@dataclass(frozen=True)
class SumsS16:
    """What a kernel needs for its sums: the fields of `struct tinyml_sums_s16`, and its arrays."""

    params: tuple[tuple[str, ParamValue], ...]
    bias: Argument
    constants: tuple[ConstantArray, ...]
    reason: str


@dataclass(frozen=True)
class LayerSums:
    """The checked facts of a layer from which its sums follow."""

    weights: NDArray[Any] | None
    """[channels, products of a sum]; None where the model computes them."""
    products: int
    channels: int
    bias: Tensor | None
    narrow_bias: bool
    """What the model says of a bias that is absent: that it would have 32 bits."""
    factors: Sequence[float]
    """One for each channel, or one for all."""
    low: int
    high: int
    pairs: bool


def require_symmetric(tensor: Tensor, role: str) -> None:
    """Require the zero point 0 that 16-bit tensors have."""
    quantization = tensor.quantization
    if quantization is not None and any(quantization.zero_points):
        raise UnsupportedOperatorError(
            f"{role} has the zero point {quantization.zero_point} (int16 needs 0)", QUANTIZE_AGAIN
        )


def sums_s16(layer: LayerSums, *biases: DType) -> SumsS16:
    """How the kernel makes the sums of `layer`; `biases` are the bias types that TFLM runs."""
    bias = layer.bias
    if bias is not None and bias.dtype not in biases:
        names = " or ".join(dtype.value for dtype in biases)
        raise UnsupportedOperatorError(
            f"bias type {bias.dtype.value} is not supported with int16 activations, nor by TFLM "
            f"(needs {names})",
            QUANTIZE_AGAIN,
        )
    if bias is not None and bias.elements != layer.channels:
        raise UnsupportedOperatorError(
            f"a bias of {bias.elements} elements does not fit {layer.channels} channels",
            CONVERT_AGAIN,
        )
    narrow = layer.narrow_bias if bias is None else bias.dtype is DType.INT32
    return _rounded_twice(layer) if narrow and DType.INT32 in biases else _rounded_once(layer)


def _rounded_twice(layer: LayerSums) -> SumsS16:
    """A 32-bit bias: sums modulo 2**32, scaled like those of int8 layers."""
    bias: Argument = NullRef() if layer.bias is None else TensorRef(layer.bias.index)
    return SumsS16(
        _params(layer, wide=False, rounding=_TWICE, bias_bytes=4),
        bias,
        requantization_constants(layer.factors),
        "a 32-bit bias: sums of 32 bits, rounded twice",
    )


def _rounded_once(layer: LayerSums) -> SumsS16:
    """A 64-bit bias: 64-bit sums, or 32-bit ones where the weights prove that they suffice."""
    bias = np.zeros(layer.channels, np.int64)
    if layer.bias is not None:
        bias = require_data(layer.bias, "bias").reshape(-1).astype(np.int64)
    largest = _largest_sum(layer, bias)
    if largest >= _SUM_LIMIT:
        raise UnsupportedOperatorError(
            f"its sums may reach {largest:,}, beyond the reference's limit of 2**47",
            QUANTIZE_AGAIN,
        )
    wide = largest >= 2**31
    multipliers, shifts = map(np.array, zip(*map(_fifteen_bits, layer.factors), strict=True))
    rounding = _ONCE
    if not wide and shifts.min() >= 16 and shifts.max() <= 32:
        multipliers, rounding = multipliers << (32 - shifts), _HIGH_WORD
    wide_bias = bool(np.abs(bias).max() >= 2**31)
    bits = np.int64 if wide_bias else np.int32
    return SumsS16(
        _params(layer, wide=wide, rounding=rounding, bias_bytes=8 if wide_bias else 4),
        NullRef() if layer.bias is None else ConstantRef("bias"),
        (
            *(() if layer.bias is None else (ConstantArray("bias", bias.astype(bits)),)),
            ConstantArray("multipliers", multipliers.astype(np.int32)),
            ConstantArray("shifts", shifts.astype(np.int8)),
        ),
        f"sums reach {largest:,}: "
        + ("64 bits" if wide else "32 bits suffice")
        + (", one multiplication scales them" if rounding == _HIGH_WORD else ""),
    )


def _largest_sum(layer: LayerSums, bias: NDArray[np.int64]) -> int:
    """The largest magnitude of any partial sum, bias included."""
    if layer.weights is None:
        products: list[int] = [layer.products * 128] * layer.channels
    else:
        products = np.abs(layer.weights.astype(np.int64)).sum(axis=1).tolist()
    starts: list[int] = bias.tolist()
    pairs = zip(products, starts, strict=True)
    return max(total * _LARGEST_INPUT + abs(start) for total, start in pairs)


def _fifteen_bits(factor: float) -> tuple[int, int]:
    """A multiplier below 2**15 and the shift to the right (8 to 46) that make up `factor`."""
    multiplier, shift = quantize_multiplier(factor)
    if shift > 7:
        raise UnsupportedOperatorError(
            f"the ratio of its scales, {factor:g}, is not below 2**7, nor run by TFLM",
            QUANTIZE_AGAIN,
        )
    reduced = min((multiplier + (1 << 15)) >> 16, 2**15 - 1)
    return reduced, 15 - shift


def _params(
    layer: LayerSums, *, wide: bool, rounding: int, bias_bytes: int
) -> tuple[tuple[str, ParamValue], ...]:
    return (
        ("sums.wide", int(wide)),
        ("sums.rounding", rounding),
        ("sums.bias_bytes", bias_bytes),
        ("sums.pairs", int(layer.pairs)),
        ("sums.activation_min", layer.low),
        ("sums.activation_max", layer.high),
    )
