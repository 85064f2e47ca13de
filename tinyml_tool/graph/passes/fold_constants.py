"""Layers whose outputs do not depend on the inputs of the model become constants.

Exact because these kinds only move values or count elements: no arithmetic that could round.
SHAPE needs no constant input, only one of fixed shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.options import (
    Activation,
    ConcatenationOptions,
    StridedSliceOptions,
)
from tinyml_tool.graph.passes.edit import with_replaced, with_tensors
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.types import Graph, Operator, Tensor

_Array = NDArray[Any]
_Fold = Callable[[Operator, Sequence[_Array], Tensor], "_Array | None"]


def fold_constants(graph: Graph) -> Outcome:
    """Fold one layer after another, so that a chain goes at once."""
    changes = []
    for operator in graph.operators:
        folded = _folded(operator, graph)
        if folded is None:
            continue
        index = operator.outputs[0]
        graph = with_tensors(graph, {index: replace(graph.tensor(index), data=folded)})
        changes.append(
            Change(operator.origin, operator.kind, "its output is a constant", removed=True)
        )
    gone = {change.layer for change in changes}
    removed = {op.index: None for op in graph.operators if op.origin in gone}
    return Outcome(with_replaced(graph, removed), tuple(changes)) if changes else Outcome(graph)


def _folded(operator: Operator, graph: Graph) -> _Array | None:
    """The value of the layer's output where it is known, read-only."""
    if len(operator.outputs) != 1 or operator.outputs[0] in graph.outputs:
        return None
    target = graph.tensor(operator.outputs[0])
    if not target.dtype.has_numpy or target.dynamic_axes:
        return None
    if operator.kind == "SHAPE":
        value = _shape(graph.tensor(operator.inputs[0]))
    else:
        value = _moved(operator, graph, target)
    if value is None or value.size != target.elements:
        return None
    result = np.ascontiguousarray(value, target.dtype.numpy).reshape(target.shape)
    result.setflags(write=False)
    return result


def _shape(source: Tensor) -> _Array | None:
    return None if source.dynamic_axes else np.array(source.shape, np.int64)


def _moved(operator: Operator, graph: Graph, target: Tensor) -> _Array | None:
    fold = _FOLDS.get(operator.kind)
    tensors = [graph.tensor(index) for index in operator.inputs if index >= 0]
    values = [tensor.data for tensor in tensors if tensor.data is not None]
    if fold is None or not tensors or len(values) != len(tensors):
        return None
    if not target.dtype.has_numpy:
        return None
    if tensors[0].dtype is not target.dtype or tensors[0].quantization != target.quantization:
        return None
    return fold(operator, values, target)


def _reshape(operator: Operator, values: Sequence[_Array], target: Tensor) -> _Array:
    return values[0]


def _transpose(operator: Operator, values: Sequence[_Array], target: Tensor) -> _Array:
    return np.transpose(values[0], tuple(int(axis) for axis in values[1].ravel()))


def _pack(operator: Operator, values: Sequence[_Array], target: Tensor) -> _Array | None:
    """Only scalars: there the axis, which is not read, can only be 0."""
    return np.stack(values) if all(value.ndim == 0 for value in values) else None


def _concatenation(operator: Operator, values: Sequence[_Array], target: Tensor) -> _Array | None:
    options = operator.options
    assert isinstance(options, ConcatenationOptions)
    if options.activation is not Activation.NONE or target.quantization is not None:
        return None
    return np.concatenate(values, axis=options.axis)


def _strided_slice(operator: Operator, values: Sequence[_Array], target: Tensor) -> _Array | None:
    """Of one axis, as shapes are sliced."""
    options = operator.options
    assert isinstance(options, StridedSliceOptions)
    source, begins, ends, steps = values
    if source.ndim != 1 or options.ellipsis_mask or options.new_axis_mask or options.offset:
        return None
    begin = None if options.begin_mask & 1 else int(begins[0])
    end = None if options.end_mask & 1 else int(ends[0])
    if options.shrink_axis_mask & 1:
        return source[int(begins[0])] if -source.size <= int(begins[0]) < source.size else None
    return source[begin : end : int(steps[0])]


_FOLDS: dict[str, _Fold] = {
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
    "TRANSPOSE": _transpose,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    "STRIDED_SLICE": _strided_slice,
}
