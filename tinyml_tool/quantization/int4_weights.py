"""int4 weights for layers of an int8 model: a scale a channel, one for fully connected layers.

Real = scale * q with q from -7 to 7.  The scale need not reach the largest weight: rounding errors
of all others may weigh more than what clipping a few loses.  But clipping makes errors of one sign,
which add up where inputs do: what is better only the outputs tell.  Source of the range:
TensorFlow Lite's quantization specification for symmetric weights; of the granularity: what TFLM's
kernels take.
"""

from __future__ import annotations

import copy
from collections.abc import Collection

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.graph.int4 import packed_int4
from tinyml_tool.graph.model_objects import kind_of, new_constant, pack, unpack
from tinyml_tool.graph.problem import layer_name
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""What may have int4 weights."""
USUAL_KINDS = ("CONV_2D", "FULLY_CONNECTED")
"""What has them unless layers are named: depthwise filters are few, and lose most."""

_LEVELS = 7
_CLIPS = np.linspace(1.0, 0.5, 26)
"""Shares of the largest weight that the scale may reach."""
_INT32 = np.iinfo(np.int32)

_Reals = NDArray[np.float64]


def with_int4_weights(
    model: bytes, name: str, layers: Collection[int] | None = None, *, clipped: bool = False
) -> bytes:
    """The int8 model file with int4 weights.

    layers: indices of operators; None for all of the usual kinds whose weights are int8 constants.
    clipped: scales are those of least squared error; else they reach the largest weight.
    Biases keep their real values.  Raises InputError for a layer that cannot have int4 weights.
    """
    graph, objects = parse_model(model, name), unpack(model, name)
    if layers is None:
        usual = (op for op in graph.operators if op.kind in USUAL_KINDS)
        layers = [op.index for op in usual if not _refusal(op, graph)]
    for index in layers:
        operator = graph.operators[index]
        refusal = _refusal(operator, graph)
        if refusal:
            raise InputError(
                f"{layer_name(operator)} cannot have int4 weights: {refusal}",
                hint=f"possible are {', '.join(KINDS)} with int8 activations and constant weights",
            )
        _narrow(objects, graph, operator, _CLIPS if clipped else _CLIPS[:1])
    return pack(objects)


def narrowed(weights: _Reals, clips: _Reals = _CLIPS) -> tuple[_Reals, NDArray[np.int8]]:
    """Scales [channels] and values -7 to 7 of real weights [channels, values].

    clips: shares of the largest weight that scales are tried to reach, the best one is taken.
    """
    largest = np.maximum(np.abs(weights).max(axis=1), np.finfo(np.float32).tiny)
    best = np.full(len(weights), np.inf)
    scales = np.zeros(len(weights))
    for clip in clips:
        tried = (clip * largest / _LEVELS).astype(np.float32).astype(np.float64)
        errors = np.square(_rounded(weights, tried) * tried[:, None] - weights).sum(axis=1)
        better = errors < best
        best, scales = np.where(better, errors, best), np.where(better, tried, scales)
    return scales, _rounded(weights, scales).astype(np.int8)


def _rounded(weights: _Reals, scales: _Reals) -> _Reals:
    return np.clip(np.rint(weights / scales[:, None]), -_LEVELS, _LEVELS)


def _refusal(operator: Operator, graph: Graph) -> str:
    """Why the layer cannot have int4 weights; empty where it can."""
    if operator.kind not in KINDS:
        return "it has none of the kind"
    source, weights = (graph.tensor(index) for index in operator.inputs[:2])
    if source.dtype is not DType.INT8:
        return f"its activations are {source.dtype.value}"
    if weights.dtype is not DType.INT8 or weights.data is None or weights.quantization is None:
        return f"its weights are {weights.dtype.value}"
    if any(weights.quantization.zero_points):
        return "its weights have a zero point"
    bias = _bias_of(operator, graph)
    if bias is not None and (bias.dtype is not DType.INT32 or bias.data is None):
        return "its bias is no int32 constant"
    return ""


def _bias_of(operator: Operator, graph: Graph) -> Tensor | None:
    given = len(operator.inputs) > 2 and operator.inputs[2] >= 0
    return graph.tensor(operator.inputs[2]) if given else None


def _narrow(objects: schema.ModelT, graph: Graph, operator: Operator, clips: _Reals) -> None:
    stored = objects.subgraphs[0].operators[operator.index]
    assert kind_of(objects, stored) == operator.kind
    source, weights = (graph.tensor(index) for index in operator.inputs[:2])
    assert weights.data is not None and weights.quantization and source.quantization
    axis = 3 if operator.kind == "DEPTHWISE_CONV_2D" else 0
    channels = weights.shape[axis]
    steps = np.broadcast_to(np.asarray(weights.quantization.scales, np.float64), (channels,))
    by_channel = np.moveaxis(weights.data, axis, 0)
    real = by_channel.reshape(channels, -1).astype(np.float64) * steps[:, None]
    if operator.kind == "FULLY_CONNECTED":
        scales, values = narrowed(real.reshape(1, -1), clips)
    else:
        scales, values = narrowed(real, clips)
    shaped = np.moveaxis(values.reshape(by_channel.shape), 0, axis)
    tensor = _own(objects, stored, 1, packed_int4(shaped))
    tensor.type = schema.TensorType.INT4
    _set_scales(tensor, scales, axis)
    bias = _bias_of(operator, graph)
    if bias is None or bias.data is None:
        return
    bias_scales = (np.float32(source.quantization.scale) * scales.astype(np.float32)).astype(float)
    sums = _real_bias(bias, source, steps) / bias_scales
    rounded = np.clip(np.rint(sums), _INT32.min, _INT32.max).astype(np.int32)
    _set_scales(_own(objects, stored, 2, rounded), bias_scales, 0)


def _real_bias(bias: Tensor, source: Tensor, weight_scales: _Reals) -> _Reals:
    assert bias.data is not None and source.quantization is not None
    # What the kernels add is a number of accumulator steps, whatever scale the file tells.
    return bias.data.reshape(-1).astype(np.float64) * (source.quantization.scale * weight_scales)


def _own(
    objects: schema.ModelT, stored: schema.OperatorT, place: int, values: NDArray[np.generic]
) -> schema.TensorT:
    """The operator's input at `place` as a tensor that no other operator has, with new values."""
    main = objects.subgraphs[0]
    index = stored.inputs[place]
    readers = sum(list(other.inputs).count(index) for other in main.operators)
    tensor = main.tensors[index]
    if readers > 1:
        tensor = copy.deepcopy(tensor)
        stored.inputs[place] = len(main.tensors)
        main.tensors.append(tensor)
    elif sum(other.buffer == tensor.buffer for other in main.tensors) == 1:
        objects.buffers[tensor.buffer].data = None
    tensor.buffer = new_constant(objects, values)
    return tensor


def _set_scales(tensor: schema.TensorT, scales: _Reals, axis: int) -> None:
    tensor.quantization = tensor.quantization or schema.QuantizationParametersT()
    tensor.quantization.scale = scales.astype(np.float32)
    tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
    tensor.quantization.quantizedDimension = axis if len(scales) > 1 else 0
    tensor.quantization.min = tensor.quantization.max = None
