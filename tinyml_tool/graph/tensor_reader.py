"""Reads one tensor of the file: type, shape, quantization, and a view of a constant's data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinyml_tool.graph.int4 import unpacked_int4
from tinyml_tool.graph.names import printable
from tinyml_tool.graph.types import DType, Quantization, Tensor

_TYPES = {
    number: DType[name]
    for name, number in vars(schema.TensorType).items()
    if name in DType.__members__
}

_MAX_ARRAY_RANK = 8
"""Constants of a higher rank stay flat: numpy has a limit, and no operator takes them."""


class BufferFaultError(ValueError):
    """A tensor's buffer is absent, or not as long as type and shape demand."""


def read_tensor(stored: schema.Tensor, index: int) -> Tensor:
    """The tensor at `index` of a subgraph, still without data."""
    signature = _integers(stored.ShapeSignatureLength(), stored.ShapeSignatureAsNumpy)
    quantization = stored.Quantization()
    return Tensor(
        index=index,
        name=printable(stored.Name()),
        shape=_integers(stored.ShapeLength(), stored.ShapeAsNumpy),
        dtype=_TYPES.get(stored.Type(), DType.OTHER),
        quantization=None if quantization is None else _quantization(quantization),
        is_variable=stored.IsVariable(),
        dynamic_axes=tuple(axis for axis, length in enumerate(signature) if length < 0),
        unusual=_unusual(stored, quantization),
    )


def with_data(tensor: Tensor, buffer: NDArray[np.uint8]) -> Tensor:
    """The tensor as a constant: its data is a view of the bytes in `buffer`.

    Raises BufferFaultError.
    """
    shape, dtype = tensor.shape, tensor.dtype
    if tensor.unusual or not dtype.bits or min(shape, default=0) < 0:
        return replace(tensor, data=buffer)
    if buffer.size != tensor.bytes:
        size = "x".join(map(str, shape)) or "scalar"
        raise BufferFaultError(
            f"its buffer has {buffer.size} bytes, {dtype.value}[{size}] needs {tensor.bytes}"
        )
    if len(shape) > _MAX_ARRAY_RANK:
        return replace(tensor, data=buffer)
    if dtype is DType.INT4:
        return replace(tensor, data=_read_only(unpacked_int4(buffer, tensor.elements), shape))
    if not dtype.has_numpy:
        return replace(tensor, data=buffer)
    return replace(tensor, data=buffer.view(dtype.numpy.newbyteorder("<")).reshape(shape))


def _read_only(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    shaped = values.reshape(shape)
    shaped.setflags(write=False)
    return shaped


def _integers(length: int, read: Callable[[], NDArray[Any]]) -> tuple[int, ...]:
    # The accessor gives the number 0 in place of an array where the vector is absent.
    return tuple(read().tolist()) if length else ()


def _unusual(
    stored: schema.Tensor, quantization: schema.QuantizationParameters | None
) -> tuple[str, ...]:
    features = []
    if stored.Sparsity() is not None:
        features.append("sparse")
    if stored.ExternalBuffer():
        features.append("kept in another file")
    if quantization is not None and quantization.DetailsType() != schema.QuantizationDetails.NONE:
        features.append("quantized by another scheme than affine per tensor or per channel")
    return tuple(features)


def _quantization(stored: schema.QuantizationParameters) -> Quantization | None:
    scales = tuple(stored.ScaleAsNumpy().tolist()) if stored.ScaleLength() else ()
    if not scales:
        return None
    zero_points = _integers(stored.ZeroPointLength(), stored.ZeroPointAsNumpy)
    if len(zero_points) == 1:
        # Writers may store one zero point for all channels.
        zero_points *= len(scales)
    axis = stored.QuantizedDimension() if len(scales) > 1 else None
    return Quantization(scales, zero_points, axis)
