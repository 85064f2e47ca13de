"""A tensor as templates see it: what `struct model_tensor` of model.h describes."""

from __future__ import annotations

from typing import Any

from tinyml_tool.graph.types import DType, Tensor

MODEL_TYPES = {
    DType.INT8: "MODEL_INT8",
    DType.UINT8: "MODEL_UINT8",
    DType.INT16: "MODEL_INT16",
    DType.INT32: "MODEL_INT32",
    DType.FLOAT32: "MODEL_FLOAT32",
    DType.INT64: "MODEL_INT64",
    DType.BOOL: "MODEL_BOOL",
}


def tensor_comment(tensor: Tensor) -> str:
    """Type, shape and name in at most about 80 characters."""
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    name = tensor.name.split(";")[0]  # the converter joins the names of fused layers
    short = name if len(name) <= 60 else f"...{name[-57:]}"
    return f"{tensor.dtype.value} {shape} {short}"


def tensor_view(tensor: Tensor, data: str) -> dict[str, Any]:
    """The fields of an input or output, whose values lie at the C expression `data`."""
    per_tensor = tensor.quantization is not None and not tensor.quantization.per_channel
    quantization = tensor.quantization if per_tensor else None
    return {
        "name": tensor.name,
        "comment": tensor_comment(tensor),
        "type": MODEL_TYPES[tensor.dtype],
        "shape": tensor.shape,
        "scale": quantization.scale if quantization else 0.0,
        "zero_point": quantization.zero_point if quantization else 0,
        "bytes": tensor.bytes,
        "data": data,
    }
