"""QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

import numpy as np

from tinyml_tool.compiler.fixed_point import requantize, wrap
from tinyml_tool.compiler.lowering.byte_function import byte_function_call, every_value
from tinyml_tool.compiler.lowering.requirements import (
    QUANTIZE_AGAIN,
    require_input,
    require_operands,
    require_per_tensor,
    require_shape,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.numerics import INTEGER_RANGES, quantize_multiplier
from tinyml_tool.compiler.plan import KernelCall, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

_FROM_FLOAT = {DType.INT8: "quantize_f32_s8", DType.INT16: "quantize_f32_s16"}
_TO_FLOAT = {
    DType.INT8: "dequantize_s8",
    DType.UINT8: "dequantize_u8",
    DType.INT16: "dequantize_s16",
}
_BYTE_TO_BYTE = {
    (DType.INT8, DType.INT8),
    (DType.INT8, DType.UINT8),
    (DType.UINT8, DType.INT8),
}
_INTEGER_TO_INTEGER = {
    (DType.INT8, DType.INT16),
    (DType.INT8, DType.INT32),
    (DType.INT16, DType.INT8),
    (DType.INT16, DType.INT16),
    (DType.INT16, DType.INT32),
    (DType.INT32, DType.INT8),
    (DType.INT32, DType.INT16),
}


def _quantize(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """From float32 or from another integer quantization."""
    source, target = _operands(operator, graph)
    pair = (source.dtype, target.dtype)
    if source.dtype is DType.FLOAT32 and target.dtype in _FROM_FLOAT:
        quantization = _per_tensor(target, "output")
        return _float_call(_FROM_FLOAT[target.dtype], quantization, source, target)
    if pair in _BYTE_TO_BYTE:
        return _byte_to_byte(operator, graph, source, target)
    if pair in _INTEGER_TO_INTEGER:
        return _integer_to_integer(source, target)
    raise UnsupportedOperatorError(
        f"from {source.dtype.value} to {target.dtype.value} is not supported, nor by TFLM",
        "quantize to int8: convert the model with int8 or float32 as type of its inputs and "
        "outputs",
    )


def _dequantize(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """To float32."""
    source, target = _operands(operator, graph)
    kernel = _TO_FLOAT.get(source.dtype)
    if kernel is None or target.dtype is not DType.FLOAT32:
        raise UnsupportedOperatorError(
            f"from {source.dtype.value} to {target.dtype.value} is not supported, nor by TFLM",
            "quantize the model to int8 with representative data: a float16 or dynamic-range "
            "model keeps weights that are dequantized",
        )
    return _float_call(kernel, _per_tensor(source, "input"), source, target)


def _float_call(
    kernel: str, quantization: Quantization, source: Tensor, target: Tensor
) -> KernelCall:
    return KernelCall(
        kernel=kernel,
        params=(
            ("scale", float(quantization.scale)),
            ("zero_point", quantization.zero_point),
            ("elements", target.elements),
        ),
        arguments=(TensorRef(source.index), TensorRef(target.index)),
    )


def _byte_to_byte(operator: Operator, graph: Graph, source: Tensor, target: Tensor) -> KernelCall:
    multiplier, shift, input_zero, output_zero = _rescaling(source, target)
    values = requantize(every_value(source.dtype) - input_zero, multiplier, shift)
    results = np.clip(wrap(values + output_zero), *INTEGER_RANGES[target.dtype])
    return byte_function_call(operator, graph, results)


def _integer_to_integer(source: Tensor, target: Tensor) -> KernelCall:
    multiplier, shift, input_zero, output_zero = _rescaling(source, target)
    return KernelCall(
        kernel="quantize_integer",
        params=(
            ("input_bytes", source.dtype.bytes),
            ("output_bytes", target.dtype.bytes),
            ("multiplier", multiplier),
            ("shift", shift),
            ("input_zero_point", input_zero),
            ("output_zero_point", output_zero),
            ("elements", target.elements),
        ),
        arguments=(TensorRef(source.index), TensorRef(target.index)),
    )


def _rescaling(source: Tensor, target: Tensor) -> tuple[int, int, int, int]:
    """Multiplier and shift of the ratio of the scales, then the zero points."""
    before, after = _per_tensor(source, "input"), _per_tensor(target, "output")
    multiplier, shift = quantize_multiplier(before.scale / after.scale)
    return multiplier, shift, before.zero_point, after.zero_point


def _per_tensor(tensor: Tensor, role: str) -> Quantization:
    """The quantization, whose zero point must be a value of the tensor's type."""
    quantization = require_per_tensor(tensor, role)
    low, high = INTEGER_RANGES[tensor.dtype]
    if not low <= quantization.zero_point <= high:
        raise UnsupportedOperatorError(
            f"its {role} zero point {quantization.zero_point} is no {tensor.dtype.value}",
            QUANTIZE_AGAIN,
        )
    return quantization


def _operands(operator: Operator, graph: Graph) -> tuple[Tensor, Tensor]:
    """Input and output, which must be of the same shape."""
    require_operands(operator, inputs=(1, 1))
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_shape(target, "output", source.shape)
    return source, target


LOWERINGS: dict[str, Lowering] = {"QUANTIZE": _quantize, "DEQUANTIZE": _dequantize}
