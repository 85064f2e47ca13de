"""The model's inputs and outputs as the device describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.protocol import TensorReply, TensorType

_DTYPES: dict[int, Any] = {
    TensorType.INT8: np.int8,
    TensorType.UINT8: np.uint8,
    TensorType.INT16: np.int16,
    TensorType.INT32: np.int32,
    TensorType.FLOAT32: np.float32,
    TensorType.INT64: np.int64,
    TensorType.BOOL: np.bool_,
}


@dataclass(frozen=True)
class DeviceTensor:
    """An input or output: real value = scale * (stored - zero_point), scale 0 if not quantized."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    size: int
    """Bytes."""

    def array(self, data: bytes) -> NDArray[Any]:
        """The tensor whose bytes are `data`."""
        return np.frombuffer(data, self.dtype).reshape(self.shape)


def device_tensor(reply: TensorReply) -> DeviceTensor:
    """The description a device sent.  Raises ValueError where it contradicts itself."""
    if reply.type not in _DTYPES or reply.rank > len(reply.shape):
        raise ValueError(f"type {reply.type}, rank {reply.rank}")
    dtype = np.dtype(_DTYPES[reply.type])
    shape = tuple(reply.shape[: reply.rank])
    if int(np.prod(shape, dtype=np.int64)) * dtype.itemsize != reply.bytes:
        raise ValueError(f"{reply.bytes} bytes for {dtype} {list(shape)}")
    return DeviceTensor(reply.name, dtype, shape, reply.scale, reply.zero_point, reply.bytes)


def input_bytes(tensors: Sequence[DeviceTensor], arrays: Sequence[NDArray[Any]]) -> list[bytes]:
    """The bytes of one inference's inputs.  Raises InputError where they do not fit the model."""
    if len(arrays) != len(tensors):
        raise InputError(f"the model has {len(tensors)} inputs, not {len(arrays)}")
    for number, (tensor, array) in enumerate(zip(tensors, arrays, strict=True)):
        if array.dtype != tensor.dtype or array.size * array.itemsize != tensor.size:
            raise InputError(
                f"input {number} '{tensor.name}' is {tensor.dtype} {list(tensor.shape)}, "
                f"not {array.dtype} {list(array.shape)}"
            )
    return [np.ascontiguousarray(array).tobytes() for array in arrays]
