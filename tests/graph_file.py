"""Writes a graph as a `.tflite` file, so that the reference can run what passes left of a model."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from model_builder import ModelBuilder

from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

_NAMES = {
    "activation": "fused_activation_function",
    "dilation_h": "dilation_h_factor",
    "dilation_w": "dilation_w_factor",
    "filter_h": "filter_height",
    "filter_w": "filter_width",
    "axes": "squeeze_dims",
}
_LEFT_OUT = {"shuffled_weights", "pad_before"}


def graph_file(graph: Graph) -> bytes:
    """A model file of all that the graph's operators use; tensors get other indices."""
    builder = ModelBuilder()
    places: dict[int, int] = {}

    def place(index: int) -> int:
        if index >= 0 and index not in places:
            places[index] = _add(builder, graph.tensor(index), index in graph.inputs)
        return places.get(index, -1)

    for index in graph.inputs:
        place(index)
    for operator in graph.operators:
        inputs = [place(index) for index in operator.inputs]
        if operator.kind == "RESHAPE" and len(inputs) == 1:
            shape = np.array(graph.tensor(operator.outputs[0]).shape, np.int32)
            inputs.append(builder.constant(shape))
        outputs = [place(index) for index in operator.outputs]
        builder.operator(operator.kind, inputs, outputs, **_options(operator))
    return builder.build([places[index] for index in graph.outputs])


def _add(builder: ModelBuilder, tensor: Tensor, is_input: bool) -> int:
    quantization = tensor.quantization
    arguments: dict[str, Any] = {"name": f"t{tensor.index}"}
    if quantization is not None and quantization.per_channel:
        arguments["scale"], arguments["axis"] = list(quantization.scales), quantization.axis
    elif quantization is not None:
        arguments["scale"] = quantization.scale
        arguments["zero_point"] = quantization.zero_point
    if tensor.data is not None:
        int4 = "int4" if tensor.dtype is DType.INT4 else None
        return builder.constant(tensor.data, int4, **arguments)
    add = builder.input if is_input else builder.tensor
    return add(tensor.dtype.value, tensor.shape, **arguments)


def _options(operator: Operator) -> dict[str, Any]:
    if operator.options is None:
        return {}
    values = {}
    for name, value in vars(operator.options).items():
        if name in _LEFT_OUT or (name == "depth_multiplier" and operator.kind == "CONV_2D"):
            continue
        if name == "narrow_bias":
            values |= {"quantized_bias_type": schema.TensorType.INT32} if value else {}
            continue
        values[_NAMES.get(name, name)] = value.name if isinstance(value, Enum) else value
    return values
