"""Checks that a well-formed model makes sense, and lists all that does not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, islice

from tinyml_tool.graph.dataflow import CONVERT_AGAIN
from tinyml_tool.graph.names import tensor_name
from tinyml_tool.graph.operator_arity import arity_problems
from tinyml_tool.graph.options import LeakyReluOptions, SoftmaxOptions
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.quantization_checks import quantization_problems
from tinyml_tool.graph.shapes import ShapeError, output_shapes
from tinyml_tool.graph.shapes.rule import text
from tinyml_tool.graph.tensor_checks import FIXED_BATCH, FIXED_SHAPE, has_fixed_shape, tensor_faults
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

_FLOATS = frozenset((DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16, DType.FLOAT64))
_QUANTIZED = frozenset((DType.INT8, DType.UINT8, DType.INT16))

_MAX_PROBLEMS = 1000
"""A model with more is noise."""


def check(graph: Graph) -> tuple[Problem, ...]:
    """Everything that makes the model unusable: first the whole model's, then layer by layer.

    Empty for a sound model. Whether an engine has the operators and types is not checked here.
    """
    found = chain(_model_problems(graph), _layer_problems(graph))
    return tuple(dict.fromkeys(islice(found, _MAX_PROBLEMS)))


def _layer_problems(graph: Graph) -> Iterator[Problem]:
    reported: set[int] = set()
    for operator in graph.operators:
        yield from _tensor_problems(operator, graph, reported)
        wrong_arity = list(islice(arity_problems(operator), _MAX_PROBLEMS))
        yield from wrong_arity
        if not wrong_arity:
            yield from _shape_problems(operator, graph)
            yield from quantization_problems(operator, graph)
        yield from _option_problems(operator)


def _model_problems(graph: Graph) -> Iterator[Problem]:
    if not graph.operators:
        yield Problem(None, "the model has no layers", "give a model that computes something")
    for role, indices in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        if not indices:
            yield Problem(None, f"the model has no {role}", "convert it with inputs and outputs")
    for place, index in enumerate(graph.inputs):
        yield from _input_problems(f"input {place} of the model", graph.tensor(index))
    used = {index for op in graph.operators for index in (*op.inputs, *op.outputs)}
    for index in dict.fromkeys((*graph.inputs, *graph.outputs)):
        if index not in used:
            for cause, fix in tensor_faults(graph.tensor(index)):
                yield Problem(None, f"{tensor_name(index, graph.tensor(index).name)}: {cause}", fix)


def _input_problems(what: str, tensor: Tensor) -> Iterator[Problem]:
    shape, dynamic = tensor.shape, tensor.dynamic_axes
    if shape and shape[0] > 1 and (len(shape) >= 4 or (0 in dynamic and len(shape) > 1)):
        cause = f"{what} ({tensor_name(tensor.index, tensor.name)}) has a batch of {shape[0]}"
        yield Problem(None, cause, FIXED_BATCH)
    # With the batch alone open, the converter has assumed 1 for it, which is what is wanted.
    # It assumes 1 for other axes too, which is not what the network was made for.
    assumed = [axis for axis in dynamic if 0 < axis < len(shape) and shape[axis] == 1]
    for axis in assumed:
        cause = (
            f"{what} ({tensor_name(tensor.index, tensor.name)}) has no fixed length in axis {axis}"
        )
        yield Problem(None, cause, FIXED_SHAPE)


def computes_in_floats(graph: Graph) -> bool:
    """Whether no layer works on quantized values, but for conversions from and to floats."""
    works_on = {
        graph.tensor(index).dtype
        for operator in graph.operators
        if operator.kind not in ("QUANTIZE", "DEQUANTIZE")
        for index in (*operator.inputs, *operator.outputs)
        if index >= 0 and not graph.tensor(index).is_constant
    }
    return bool(works_on & _FLOATS) and not works_on & _QUANTIZED


def _tensor_problems(operator: Operator, graph: Graph, reported: set[int]) -> Iterator[Problem]:
    """Problems of the operator's tensors, each at the first operator that has it."""
    for role, indices in (("input", operator.inputs), ("output", operator.outputs)):
        for place, index in enumerate(indices):
            if index < 0 or index in reported:
                continue
            reported.add(index)
            tensor = graph.tensor(index)
            for cause, fix in tensor_faults(tensor):
                what = f"{role} {place} ({tensor_name(tensor.index, tensor.name)}): {cause}"
                yield Problem.of(operator, what, fix)


def _shape_problems(operator: Operator, graph: Graph) -> Iterator[Problem]:
    indices = [index for index in (*operator.inputs, *operator.outputs) if index >= 0]
    tensors = [graph.tensor(index) for index in indices]
    if not all(has_fixed_shape(tensor) or tensor.is_constant for tensor in tensors):
        return
    for cause in _shape_mistakes(operator, graph):
        if any(tensor.dynamic_axes for tensor in tensors):
            # The shapes in the file are guesses of the converter, which contradict each other.
            yield Problem.of(operator, f"dynamic batch: {cause}", FIXED_BATCH)
        else:
            yield Problem.of(operator, cause, CONVERT_AGAIN)


def _shape_mistakes(operator: Operator, graph: Graph) -> Iterator[str]:
    try:
        expected = output_shapes(operator, graph)
    except ShapeError as error:
        yield str(error)
        return
    for index, shape in zip(operator.outputs, expected or (), strict=False):
        stored = graph.tensor(index).shape
        if stored != shape:
            yield f"output is {text(stored)}, but inputs and options give {text(shape)}"


def _option_problems(operator: Operator) -> Iterator[Problem]:
    options = operator.options
    if isinstance(options, LeakyReluOptions) and not math.isfinite(options.alpha):
        yield Problem.of(operator, f"alpha is {options.alpha}", CONVERT_AGAIN)
    if isinstance(options, SoftmaxOptions) and not (
        math.isfinite(options.beta) and options.beta > 0
    ):
        yield Problem.of(operator, f"beta is {options.beta}, must be positive", CONVERT_AGAIN)
