"""What lowerings require of tensors, with one wording for each way to miss it."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.plan import Argument, NullRef, TensorRef
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

OptionsT = TypeVar("OptionsT")

QUANTIZE_TO_INT8 = "quantize the model to int8 with representative data"
CONVERT_AGAIN = "convert the model again: the file does not follow the TensorFlow Lite schema"
QUANTIZE_AGAIN = "quantize the model again with representative data"

_FIX_OF_TYPE = {
    DType.FLOAT32: QUANTIZE_TO_INT8,
    DType.FLOAT16: QUANTIZE_TO_INT8,
    DType.FLOAT64: QUANTIZE_TO_INT8,
    DType.UINT8: "quantize the model to int8 instead of uint8",
    DType.INT16: "quantize this layer to int8, or use --engine tflm where TFLM runs it with int16",
    DType.INT4: "quantize this tensor to int8: only weights may be int4",
}


def require_operands(operator: Operator, inputs: tuple[int, int], outputs: int = 1) -> None:
    """Require a number of inputs within `inputs` (least, most) and exactly `outputs` outputs."""
    least, most = inputs
    if not least <= len(operator.inputs) <= most or len(operator.outputs) != outputs:
        raise UnsupportedOperatorError(
            f"it has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs",
            CONVERT_AGAIN,
        )


def require_options(operator: Operator, expected: type[OptionsT]) -> OptionsT:
    """The operator's options, which must be there."""
    if not isinstance(operator.options, expected):
        raise UnsupportedOperatorError(
            "its options are missing",
            CONVERT_AGAIN,
        )
    return operator.options


def require_input(operator: Operator, graph: Graph, position: int, role: str) -> Tensor:
    """The input tensor at `position`, which must be present."""
    optional = optional_input(operator, graph, position)
    if optional is None:
        raise UnsupportedOperatorError(
            f"its {role} is missing",
            CONVERT_AGAIN,
        )
    return optional


def optional_input(operator: Operator, graph: Graph, position: int) -> Tensor | None:
    """The input tensor at `position`, or None where it is absent."""
    if position >= len(operator.inputs) or operator.inputs[position] < 0:
        return None
    return graph.tensors[operator.inputs[position]]


def require_dtype(tensor: Tensor, role: str, *allowed: DType) -> None:
    """Require one of the types `allowed`; `role` names the tensor, e.g. "input"."""
    if tensor.dtype in allowed:
        return
    names = " or ".join(dtype.value for dtype in allowed)
    raise UnsupportedOperatorError(
        f"{role} type {tensor.dtype.value} is not supported by engine 'aot' (needs {names})",
        _FIX_OF_TYPE.get(tensor.dtype, QUANTIZE_TO_INT8),
    )


def require_rank(tensor: Tensor, role: str, least: int, most: int | None = None) -> None:
    """Require a number of dimensions from `least` to `most` (by default exactly `least`).

    No dimension may be empty.
    """
    most = least if most is None else most
    rank = len(tensor.shape)
    if min(tensor.shape, default=1) < 1:
        raise UnsupportedOperatorError(f"{role} {_text(tensor.shape)} is empty", CONVERT_AGAIN)
    if least <= rank <= most:
        return
    needed = str(least) if least == most else f"{least} to {most}"
    raise UnsupportedOperatorError(
        f"{role} of {rank} dimensions is not supported (needs {needed})",
        "reshape it in the model",
    )


def require_shape(tensor: Tensor, role: str, shape: tuple[int, ...]) -> None:
    """Require exactly this shape, which follows from the other tensors of the operator."""
    if tensor.shape == shape:
        return
    raise UnsupportedOperatorError(
        f"{role} shape {_text(tensor.shape)} does not follow from its inputs and options "
        f"(needs {_text(shape)})",
        "convert the model again with static shapes",
    )


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def require_data(tensor: Tensor, role: str) -> NDArray[Any]:
    """The values of a tensor that must be a constant."""
    if tensor.data is None:
        raise UnsupportedOperatorError(
            f"its {role} are computed by the model (needs constants)",
            "use --engine tflm, or make them constants of the model",
        )
    return tensor.data


def require_per_tensor(tensor: Tensor, role: str) -> Quantization:
    """The quantization of a tensor that must have one scale and zero point."""
    quantization = require_quantization(tensor, role)
    if quantization.per_channel and len(quantization.scales) > 1:
        raise UnsupportedOperatorError(
            f"{role} is quantized per channel (needs one scale)", QUANTIZE_AGAIN
        )
    return quantization


def require_quantization(tensor: Tensor, role: str) -> Quantization:
    """The quantization of a tensor that must have usable scales."""
    quantization = tensor.quantization
    if quantization is None or not quantization.scales:
        raise UnsupportedOperatorError(f"{role} has no quantization", QUANTIZE_TO_INT8)
    for scale in quantization.scales:
        if not (math.isfinite(scale) and scale > 0):
            raise UnsupportedOperatorError(
                f"{role} has the quantization scale {scale}", QUANTIZE_AGAIN
            )
    return quantization


def require_bias(operator: Operator, graph: Graph, position: int, channels: int) -> Argument:
    """The kernel's argument for an optional int32 bias of one element a channel."""
    bias = optional_input(operator, graph, position)
    if bias is None:
        return NullRef()
    if bias.dtype is not DType.INT32:
        raise UnsupportedOperatorError(
            f"bias type {bias.dtype.value} is not supported (needs int32)", QUANTIZE_AGAIN
        )
    if bias.elements != channels:
        raise UnsupportedOperatorError(
            f"a bias of {bias.elements} elements does not fit {channels} channels", CONVERT_AGAIN
        )
    return TensorRef(bias.index)


# How far two scales may differ that count as the same: the reference's own limit.
_SAME_SCALE = 1e-6


def require_same_quantization(one: tuple[Tensor, str], other: tuple[Tensor, str]) -> None:
    """Require that values of both tensors, each given with its role, mean the same.

    Both may also be without quantization.
    """
    (tensor_1, role_1), (tensor_2, role_2) = one, other
    if tensor_1.quantization is None and tensor_2.quantization is None:
        return
    quantization_1 = require_per_tensor(tensor_1, role_1)
    quantization_2 = require_per_tensor(tensor_2, role_2)
    difference = abs(float(np.float32(quantization_1.scale) - np.float32(quantization_2.scale)))
    if difference > _SAME_SCALE or quantization_1.zero_point != quantization_2.zero_point:
        raise UnsupportedOperatorError(
            f"{role_1} and {role_2} have different quantizations: "
            f"scale {quantization_1.scale:g}, zero point {quantization_1.zero_point} and "
            f"scale {quantization_2.scale:g}, zero point {quantization_2.zero_point}",
            QUANTIZE_AGAIN,
        )
