"""Values that a model file stores."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_TYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.FLOAT16: "float16",
    schema.TensorType.INT8: "int8",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT16: "int16",
    schema.TensorType.INT32: "int32",
    schema.TensorType.INT64: "int64",
    schema.TensorType.BOOL: "bool",
}


def numpy_type(tensor: schema.TensorT) -> np.dtype[Any]:
    """The tensor's type.  Raises KeyError for types that float models do not consist of."""
    return np.dtype(_TYPES[tensor.type])


def is_constant(model: schema.ModelT, tensor: schema.TensorT) -> bool:
    """Whether the file stores the tensor's values."""
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def constant_values(model: schema.ModelT, tensor: schema.TensorT) -> NDArray[Any]:
    """The stored values in the tensor's shape."""
    data = np.asarray(model.buffers[tensor.buffer].data, np.uint8).tobytes()
    shape = tuple(int(length) for length in tensor.shape) if tensor.shape is not None else ()
    return np.frombuffer(data, numpy_type(tensor)).reshape(shape)
