"""Weights that a float model stores as integers or half floats become float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinyml_tool.graph.model_objects import kind_of, new_constant
from tinyml_tool.importers.constants import constant_values, is_constant, numpy_type

_STORED = frozenset((schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16)) | {
    schema.TensorType.FLOAT16
}


def unpack_constants(model: schema.ModelT) -> list[str]:
    """Make weights float32 where the operators that read them compute in floats; the changes.

    Such files come from dynamic-range and float16 conversions: weights small, arithmetic float.
    """
    graph = model.subgraphs[0]
    folded = _fold_dequantize(model, graph)
    changed = [tensor for tensor in _hybrid_weights(model, graph) if _to_float(model, tensor)]
    total = folded + len(changed)
    return [f"turned {total} stored integer or float16 weights into float32"] if total else []


def _fold_dequantize(model: schema.ModelT, graph: schema.SubGraphT) -> int:
    """Remove DEQUANTIZE of constants, which float16 models begin every layer with."""
    kept, folded = [], 0
    for operator in graph.operators:
        source = graph.tensors[operator.inputs[0]] if len(operator.inputs) else None
        if (
            kind_of(model, operator) != "DEQUANTIZE"
            or source is None
            or not is_constant(model, source)
        ):
            kept.append(operator)
            continue
        target = graph.tensors[operator.outputs[0]]
        target.buffer = new_constant(model, _real(model, source))
        target.quantization = None
        folded += 1
    graph.operators = kept
    return folded


def _hybrid_weights(model: schema.ModelT, graph: schema.SubGraphT) -> list[schema.TensorT]:
    found: dict[int, schema.TensorT] = {}
    for operator in graph.operators:
        if kind_of(model, operator) in ("QUANTIZE", "DEQUANTIZE") or not len(operator.outputs):
            continue
        if graph.tensors[operator.outputs[0]].type != schema.TensorType.FLOAT32:
            continue
        for index in operator.inputs:
            tensor = graph.tensors[index] if index >= 0 else None
            if tensor is not None and tensor.type in _STORED and is_constant(model, tensor):
                found[int(index)] = tensor
    return list(found.values())


def _to_float(model: schema.ModelT, tensor: schema.TensorT) -> bool:
    half = tensor.type == schema.TensorType.FLOAT16
    scaled = tensor.quantization is not None and tensor.quantization.scale is not None
    if not half and not (scaled and len(tensor.quantization.scale)):
        return False
    tensor.buffer = new_constant(model, _real(model, tensor))
    tensor.type = schema.TensorType.FLOAT32
    tensor.quantization = None
    return True


def _real(model: schema.ModelT, tensor: schema.TensorT) -> NDArray[np.float32]:
    values: NDArray[Any] = constant_values(model, tensor)
    if numpy_type(tensor).kind == "f":
        return values.astype(np.float32)
    stored = tensor.quantization
    scales = np.asarray(stored.scale, np.float32)
    points = np.asarray(stored.zeroPoint, np.int64)
    shape = [1] * values.ndim
    if scales.size > 1:
        shape[stored.quantizedDimension] = scales.size
    centred = (values.astype(np.int64) - points.reshape(shape)).astype(np.float32)
    return centred * scales.reshape(shape)
