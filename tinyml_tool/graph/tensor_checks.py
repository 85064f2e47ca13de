"""What can be wrong with a tensor by itself: type, shape, storage, values, quantization."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tinyml_tool.graph.types import DType, Quantization, Tensor

MAX_RANK = 6
MAX_BYTES = 2**31 - 1
"""Sizes and offsets in generated code are int32."""

FIXED_BATCH = "convert the model with a fixed batch of 1"
FIXED_SHAPE = "convert the model with a fixed input shape"
QUANTIZE_AGAIN = "quantize the model again (full-integer post-training quantization)"

ZERO_POINT_RANGES = {
    DType.INT4: (-8, 7),
    DType.INT8: (-128, 127),
    DType.UINT8: (0, 255),
    DType.INT16: (-32768, 32767),
}
"""Quantized types with the values that a zero point can take."""


def tensor_faults(tensor: Tensor) -> Iterator[tuple[str, str]]:
    """Causes and fixes of everything that is wrong with the tensor itself."""
    yield from _type_faults(tensor)
    yield from _shape_faults(tensor)
    yield from _value_faults(tensor)
    if tensor.dtype in ZERO_POINT_RANGES and tensor.quantization is not None:
        yield from _quantization_faults(tensor, tensor.quantization)


def has_fixed_shape(tensor: Tensor) -> bool:
    """Whether every axis has a positive length."""
    return min(tensor.shape, default=1) > 0


def _type_faults(tensor: Tensor) -> Iterator[tuple[str, str]]:
    if tensor.dtype is DType.OTHER:
        yield "its type is unknown", "update tinyml-tool, or convert for an older TensorFlow Lite"
    elif not tensor.dtype.bits:
        yield f"its type {tensor.dtype.value} has no fixed size", "use int8 tensors instead"
    for storage in tensor.unusual:
        yield f"it is {storage}", "convert the model without that"
    if tensor.is_variable:
        yield (
            "it is a variable, which keeps its value from one inference to the next",
            "pass the state in and out as a normal input and output",
        )


def _shape_faults(tensor: Tensor) -> Iterator[tuple[str, str]]:
    is_empty_list = tensor.shape == (0,) and tensor.dtype in (DType.INT32, DType.INT64)
    if not has_fixed_shape(tensor) and not (tensor.is_constant and is_empty_list):
        yield from _dynamic_axes(tensor)
        return
    if len(tensor.shape) > MAX_RANK:
        yield f"its rank {len(tensor.shape)} is above {MAX_RANK}", "reshape it to fewer axes"
    if tensor.bytes > MAX_BYTES:
        yield f"it has {tensor.bytes} bytes, at most {MAX_BYTES} are possible", "make it smaller"


def _dynamic_axes(tensor: Tensor) -> Iterator[tuple[str, str]]:
    for axis, length in enumerate(tensor.shape):
        if length > 0:
            continue
        if axis == 0 and length == -1:
            yield "dynamic batch: axis 0 has no fixed length", FIXED_BATCH
        elif length == -1:
            yield f"axis {axis} has no fixed length", FIXED_SHAPE
        else:
            yield f"axis {axis} has the length {length}", FIXED_SHAPE


def _value_faults(tensor: Tensor) -> Iterator[tuple[str, str]]:
    if tensor.data is None or tensor.data.dtype.kind != "f":
        return
    bad = int(tensor.data.size - np.count_nonzero(np.isfinite(tensor.data)))
    if bad:
        yield f"{bad} of its {tensor.data.size} values are not finite", "train the model again"


def _quantization_faults(tensor: Tensor, stored: Quantization) -> Iterator[tuple[str, str]]:
    scales, zero_points = stored.scales, stored.zero_points
    wrong = [scale for scale in scales if not (math.isfinite(scale) and scale > 0)]
    if wrong:
        more = f" ({len(wrong)} such)" if len(wrong) > 1 else ""
        yield f"its scale {wrong[0]} is not a positive number{more}", QUANTIZE_AGAIN
    if len(zero_points) != len(scales):
        yield f"it has {len(scales)} scales and {len(zero_points)} zero points", QUANTIZE_AGAIN
    low, high = ZERO_POINT_RANGES[tensor.dtype]
    outside = [point for point in zero_points if not low <= point <= high]
    if outside:
        yield (
            f"its zero point {outside[0]} is outside {tensor.dtype.value} ({low} to {high})",
            QUANTIZE_AGAIN,
        )
    if stored.axis is not None:
        yield from _channel_faults(tensor, stored, stored.axis)


def _channel_faults(tensor: Tensor, stored: Quantization, axis: int) -> Iterator[tuple[str, str]]:
    rank = len(tensor.shape)
    if not 0 <= axis < rank:
        yield f"it is quantized along axis {axis}, but its rank is {rank}", QUANTIZE_AGAIN
    elif len(stored.scales) != tensor.shape[axis]:
        yield (
            f"it has {len(stored.scales)} scales for {tensor.shape[axis]} channels",
            QUANTIZE_AGAIN,
        )
    if not tensor.is_constant:
        yield "it is quantized per channel, which only constants can be", QUANTIZE_AGAIN
