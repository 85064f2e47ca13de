"""What can be wrong between the quantization of an operator's tensors."""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_tool.graph.names import tensor_name
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.tensor_checks import QUANTIZE_AGAIN, ZERO_POINT_RANGES
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

_CALCULATING = frozenset(
    (
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "AVERAGE_POOL_2D",
        "MAX_POOL_2D",
        "ADD",
        "SUB",
        "MUL",
        "MEAN",
        "SOFTMAX",
        "LOGISTIC",
        "TANH",
        "RELU",
        "RELU6",
        "LEAKY_RELU",
        "HARD_SWISH",
        "QUANTIZE",
        "DEQUANTIZE",
    )
)
"""Operators that need the scales of their tensors; the others only move or compare values."""

_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Axis of the weights that holds the output channels."""

BIAS_TOLERANCE = 0.02
"""TensorFlow Lite's limit of |input scale * weight scale - bias scale| / output scale."""


def quantization_problems(operator: Operator, graph: Graph) -> Iterator[Problem]:
    """Missing parameters, weights quantized along a wrong axis, bias scales that do not fit.

    The operator must have the right number of inputs and outputs.
    """
    if operator.kind in _CALCULATING:
        yield from _missing(operator, graph)
    if operator.kind in _CHANNEL_AXIS:
        yield from _weights(operator, graph)
        yield from _bias(operator, graph)


def _missing(operator: Operator, graph: Graph) -> Iterator[Problem]:
    for index in dict.fromkeys((*operator.inputs, *operator.outputs)):
        if index < 0:
            continue
        tensor = graph.tensor(index)
        if tensor.dtype in ZERO_POINT_RANGES and not _is_quantized(tensor) and not tensor.unusual:
            named = tensor_name(index, tensor.name)
            cause = f"{tensor.dtype.value} {named} has no scale or zero point"
            yield Problem.of(operator, cause, QUANTIZE_AGAIN)


def _is_quantized(tensor: Tensor) -> bool:
    return tensor.quantization is not None and len(tensor.quantization.zero_points) > 0


def _weights(operator: Operator, graph: Graph) -> Iterator[Problem]:
    source, weights = (graph.tensor(index) for index in operator.inputs[:2])
    stored = weights.quantization
    if stored is None or source.dtype not in (DType.INT8, DType.INT16):
        return
    axis = _CHANNEL_AXIS[operator.kind]
    if stored.axis is not None and stored.axis != axis:
        cause = f"weights are quantized along axis {stored.axis}, must be along axis {axis}"
        yield Problem.of(operator, cause, QUANTIZE_AGAIN)
    may_be_asymmetric = operator.kind == "FULLY_CONNECTED" and stored.axis is None
    if any(stored.zero_points) and not may_be_asymmetric:
        wrong = next(point for point in stored.zero_points if point)
        cause = f"weights have zero point {wrong}, must have 0"
        yield Problem.of(operator, cause, QUANTIZE_AGAIN)


def _bias(operator: Operator, graph: Graph) -> Iterator[Problem]:
    """TensorFlow Lite checks the bias of uint8 convolutions and per-tensor dense layers only."""
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return
    source, weights, bias = (graph.tensor(index) for index in operator.inputs)
    output = graph.tensor(operator.outputs[0])
    if source.dtype not in ZERO_POINT_RANGES:
        return
    if operator.kind != "FULLY_CONNECTED" and source.dtype is not DType.UINT8:
        return
    scales = [_scale(tensor) for tensor in (source, weights, bias, output)]
    input_scale, weight_scale, bias_scale, output_scale = scales
    if not input_scale or not weight_scale or not output_scale:
        return
    product = input_scale * weight_scale
    if abs(product - (bias_scale or 0.0)) / output_scale > BIAS_TOLERANCE:
        cause = (
            f"bias has scale {bias_scale or 0.0:.6g}, must have about {product:.6g} "
            "(input scale * weight scale)"
        )
        yield Problem.of(operator, cause, QUANTIZE_AGAIN)


def _scale(tensor: Tensor) -> float | None:
    """The scale of a per-tensor quantization, else None."""
    stored = tensor.quantization
    return stored.scale if stored is not None and not stored.per_channel else None
