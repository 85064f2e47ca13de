"""Turns numbers of any type into the values of an input tensor, losing nothing unnoticed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Tensor


def layout(tensor: Tensor) -> str:
    """Describe shape and type as a user needs them, e.g. `1x49x10x1 int8`."""
    return f"{'x'.join(map(str, tensor.shape)) or 'scalar'} {tensor.dtype.value}"


def fit_values(name: str, values: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    """Return `values`, which have the tensor's shape, in the tensor's type.

    Integers must lie within the tensor's range.  Real numbers are quantized (`quantize`) where the
    tensor is, and only rounded to float32 where that is the tensor's type.  Raises InputError,
    naming file `name`, for anything else, and for NaN and infinities.
    """
    if values.dtype.kind not in "biuf":
        raise InputError(f"{name} holds {values.dtype}, not numbers")
    if values.dtype.kind == "f":
        _reject_non_finite(name, values)
    target = tensor.dtype.numpy
    if values.dtype == target or target.kind == "f":
        return _to_float(name, values, target) if target.kind == "f" else values.astype(target)
    if values.dtype.kind == "f":
        return quantize(name, values, tensor)
    return _to_integer(name, values, tensor)


def quantize(name: str, real: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    """Quantize: q = round(real / scale) + zero_point, halves to even, cut to the type's range.

    Raises InputError where the tensor has no scale.
    """
    quantization = tensor.quantization
    if quantization is None or quantization.per_channel or tensor.dtype.numpy.kind not in "iu":
        raise InputError(
            f"{name} holds real numbers, but the input {layout(tensor)} is not quantized",
            hint=f"store {tensor.dtype.value} values",
        )
    limits = np.iinfo(tensor.dtype.numpy)
    scaled = np.rint(real.astype(np.float64) / quantization.scale) + quantization.zero_point
    clipped: NDArray[np.float64] = np.clip(scaled, limits.min, limits.max)
    return clipped.astype(tensor.dtype.numpy)


def _reject_non_finite(name: str, values: NDArray[Any]) -> None:
    bad = np.flatnonzero(~np.isfinite(values).reshape(-1))
    if bad.size:
        raise InputError(
            f"{name}: value {int(bad[0])} is {values.reshape(-1)[bad[0]]}; "
            f"{bad.size} of {values.size} values are not finite",
            hint="replace NaN and infinities: the model has no meaning for them",
        )


def _to_float(name: str, values: NDArray[Any], target: np.dtype[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        converted = values.astype(target)
    _reject_non_finite(name, converted)
    return converted


def _to_integer(name: str, values: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    target = tensor.dtype.numpy
    low, high = (0, 1) if target.kind == "b" else (np.iinfo(target).min, np.iinfo(target).max)
    outside = np.flatnonzero(((values < low) | (values > high)).reshape(-1))
    if outside.size:
        raise InputError(
            f"{name}: value {int(outside[0])} is {values.reshape(-1)[outside[0]]}, outside the "
            f"range {low} to {high} of the input {layout(tensor)}",
            hint="give real numbers (a float array) to have them quantized",
        )
    return values.astype(target)
