"""PAD and PADV2."""

from __future__ import annotations

import math

import numpy as np

from tinyml_tool.compiler.lowering.movement import integer_parameters, require_movable
from tinyml_tool.compiler.lowering.requirements import (
    CONVERT_AGAIN,
    QUANTIZE_AGAIN,
    optional_input,
    require_data,
    require_input,
    require_operands,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.numerics import INTEGER_RANGES
from tinyml_tool.compiler.plan import KernelCall, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

_MOST_AXES = 5
_TYPES = (DType.INT8, DType.INT16, DType.INT32, DType.FLOAT32)


def _pad(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """With a margin before and behind each axis; PAD and PADV2 differ in the third input only."""
    require_operands(operator, inputs=(2, 3))
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_movable(source, target, *_TYPES)
    require_rank(source, "input", 1, _MOST_AXES)
    paddings = integer_parameters(operator, graph, 1, "paddings")
    before, after = paddings[0::2], paddings[1::2]
    padded = zip(before, source.shape, after, strict=True)
    require_shape(target, "output", tuple(sum(lengths) for lengths in padded))
    size = source.dtype.bytes
    inner = [math.prod(target.shape[axis + 1 :]) * size for axis in range(len(target.shape))]
    missing = _MOST_AXES - len(source.shape)
    pattern = _pattern(operator, graph, target)
    return KernelCall(
        kernel="pad",
        params=(
            ("counts", (*([1] * missing), *source.shape[:-1])),
            ("row_bytes", source.shape[-1] * size),
            ("before", (*([0] * missing), *_products(before, inner))),
            ("after", (*([0] * missing), *_products(after, inner))),
            ("value", int.from_bytes(pattern, "little", signed=True)),
            ("element_bytes", len(pattern)),
        ),
        arguments=(TensorRef(source.index), TensorRef(target.index)),
    )


def _products(margins: tuple[int, ...], inner: list[int]) -> list[int]:
    return [margin * size for margin, size in zip(margins, inner, strict=True)]


def _pattern(operator: Operator, graph: Graph, target: Tensor) -> bytes:
    """The bytes to pad with: one element, or one byte where all bytes of the element are equal."""
    value = optional_input(operator, graph, 2)
    element = _zero(target) if value is None else _given(value, target)
    return element[:1] if len(set(element)) == 1 else element


def _zero(target: Tensor) -> bytes:
    """The real value 0, which for int16 and int32 TFLM takes to be 0."""
    if target.dtype is not DType.INT8 or target.quantization is None:
        return bytes(target.dtype.bytes)
    zero_point = target.quantization.zero_point
    low, high = INTEGER_RANGES[DType.INT8]
    if not low <= zero_point <= high:
        raise UnsupportedOperatorError(
            f"its output zero point {zero_point} is no int8", QUANTIZE_AGAIN
        )
    return np.array(zero_point, np.int8).tobytes()


def _given(value: Tensor, target: Tensor) -> bytes:
    """The constant of PADV2."""
    data = require_data(value, "padding values")
    if value.dtype is not target.dtype or value.elements != 1:
        raise UnsupportedOperatorError(
            f"its padding value is {value.dtype.value} of {value.elements} elements (needs one "
            f"{target.dtype.value})",
            CONVERT_AGAIN,
        )
    if target.dtype is DType.INT8 and _scale_and_zero(value) != _scale_and_zero(target):
        raise UnsupportedOperatorError(
            "its padding value is quantized in another way than its output", QUANTIZE_AGAIN
        )
    return data.tobytes()


def _scale_and_zero(tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point, (0, 0) where there is none."""
    quantization = tensor.quantization
    if quantization is None:
        return 0.0, 0
    return quantization.scale, quantization.zero_point


LOWERINGS: dict[str, Lowering] = {"PAD": _pad, "PADV2": _pad}
