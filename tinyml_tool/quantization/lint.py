"""What can be wrong with a quantized model, whoever quantized it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyml_tool.graph.checks import check
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

SCALE_TOLERANCE = 1e-5
"""Of a bias scale against input scale * weight scale, relative: both are float32."""

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}
_BIAS_TYPES = {
    DType.INT8: (DType.INT32,),
    DType.UINT8: (DType.INT32,),
    DType.INT16: (DType.INT64, DType.INT32),
}
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
_SAME_SCALE = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "RESHAPE", "TRANSPOSE", "SQUEEZE", "EXPAND_DIMS")
_FIXED_OUTPUT = {
    ("SOFTMAX", DType.INT8): (1 / 256, -128),
    ("LOGISTIC", DType.INT8): (1 / 256, -128),
    ("TANH", DType.INT8): (1 / 128, 0),
}
"""Scale and zero point that TensorFlow Lite's kernels assume."""

_AGAIN = "quantize the model again, from its float form"


def lint(graph: Graph) -> tuple[Problem, ...]:
    """Everything wrong with the quantization, layer by layer; empty for a sound model."""
    problems = list(check(graph))
    for operator in graph.operators:
        problems += _leftover(operator, graph)
        if operator.kind in _WEIGHTED:
            problems += _weighted(operator, graph)
        problems += _scales(operator, graph)
    return tuple(dict.fromkeys(problems))


def _leftover(operator: Operator, graph: Graph) -> Iterator[Problem]:
    if operator.kind in _CONVERSIONS:
        return
    tensors = [graph.tensor(index) for index in (*operator.inputs, *operator.outputs) if index >= 0]
    floats = [tensor for tensor in tensors if tensor.dtype is DType.FLOAT32]
    if floats:
        cause = f"it was left in float ({floats[0]})"
        fix = "the quantizer has no integer form of it: replace it, or compute it outside"
        yield Problem.of(operator, cause, fix)


def _weighted(operator: Operator, graph: Graph) -> Iterator[Problem]:
    source_place = 2 if operator.kind == "TRANSPOSE_CONV" else 0
    bias_place = 3 if operator.kind == "TRANSPOSE_CONV" else 2
    source, weights = (graph.tensor(operator.inputs[place]) for place in (source_place, 1))
    if source.dtype not in _BIAS_TYPES:
        return
    yield from _weights(operator, weights)
    if len(operator.inputs) > bias_place and operator.inputs[bias_place] >= 0:
        bias = graph.tensor(operator.inputs[bias_place])
        yield from _bias(operator, source, weights, bias)


def _weights(operator: Operator, weights: Tensor) -> Iterator[Problem]:
    if weights.dtype not in (DType.INT8, DType.INT4):
        what = f"weights are {weights.dtype.value}, must be int8"
        yield Problem.of(operator, what, _AGAIN)
    stored = weights.quantization
    if stored is None:
        yield Problem.of(operator, "weights have no scale", _AGAIN)
        return
    if any(stored.zero_points):
        wrong = next(point for point in stored.zero_points if point)
        yield Problem.of(operator, f"weights have zero point {wrong}, must have 0", _AGAIN)
    axis = _CHANNEL_AXIS[operator.kind]
    if stored.axis is not None and stored.axis != axis:
        cause = f"weights are quantized along axis {stored.axis}, must be along axis {axis}"
        yield Problem.of(operator, cause, _AGAIN)


def _bias(operator: Operator, source: Tensor, weights: Tensor, bias: Tensor) -> Iterator[Problem]:
    allowed = _BIAS_TYPES[source.dtype]
    if bias.dtype not in allowed:
        names = " or ".join(dtype.value for dtype in allowed)
        cause = f"bias is {bias.dtype.value}, must be {names} for {source.dtype.value} activations"
        yield Problem.of(operator, cause, _AGAIN)
        return
    parts = (source.quantization, weights.quantization, bias.quantization)
    if bias.data is not None and not bias.data.any():
        return  # zeros are zeros at any scale; converters share one tensor of them
    if any(part is None for part in parts):
        if bias.quantization is None:
            yield Problem.of(operator, "bias has no scale", _AGAIN)
        return
    wrong = _bias_scale(*(part for part in parts if part is not None))
    if wrong:
        yield Problem.of(operator, wrong, _AGAIN)


def _bias_scale(source: Quantization, weights: Quantization, bias: Quantization) -> str | None:
    if any(bias.zero_points):
        return "bias has a zero point other than 0"
    expected = np.float32(source.scale) * np.asarray(weights.scales, np.float32)
    found = np.asarray(bias.scales, np.float32)
    if found.size not in (1, expected.size):
        return f"bias has {found.size} scales, weights have {expected.size}"
    error = np.abs(found - expected) / expected
    worst = int(np.argmax(error))
    if error[worst] <= SCALE_TOLERANCE:
        return None
    scale = found[min(worst, found.size - 1)]
    return (
        f"bias of channel {worst} has scale {scale:.6g}, must have {expected[worst]:.6g} "
        "(input scale * weight scale)"
    )


def _scales(operator: Operator, graph: Graph) -> Iterator[Problem]:
    if not operator.outputs or not operator.inputs or operator.inputs[0] < 0:
        return
    source, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    given = output.quantization
    if given is None or given.per_channel or not given.scales or not given.zero_points:
        return
    fixed = _FIXED_OUTPUT.get((operator.kind, output.dtype))
    if fixed and (abs(given.scale - fixed[0]) > SCALE_TOLERANCE or given.zero_point != fixed[1]):
        cause = (
            f"output has scale {given.scale:.6g} and zero point {given.zero_point}, "
            f"must have {fixed[0]:.6g} and {fixed[1]}"
        )
        yield Problem.of(operator, cause, _AGAIN)
    entering = source.quantization
    if operator.kind in _SAME_SCALE and source.dtype is output.dtype and entering is not None:
        same = entering.scales == given.scales and entering.zero_points == given.zero_points
        if not same:
            cause = (
                f"it only moves values, but scale {entering.scale:.6g} becomes {given.scale:.6g}"
            )
            yield Problem.of(operator, cause, _AGAIN)
