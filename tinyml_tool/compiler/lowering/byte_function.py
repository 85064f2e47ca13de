"""Operators that compute each 8-bit output from one 8-bit input and nothing else."""

from __future__ import annotations

import numpy as np

from tinyml_tool.compiler.fixed_point import Integers
from tinyml_tool.compiler.numerics import INTEGER_RANGES
from tinyml_tool.compiler.plan import ConstantArray, ConstantRef, KernelCall, TensorRef
from tinyml_tool.graph.types import DType, Graph, Operator


def every_value(dtype: DType) -> Integers:
    """The 256 values of an 8-bit type, ascending."""
    low, high = INTEGER_RANGES[dtype]
    return np.arange(low, high + 1, dtype=np.int64)


def byte_function_call(operator: Operator, graph: Graph, results: Integers) -> KernelCall:
    """The call that maps the operator's input by `results`, one for each of `every_value`.

    A table of 256 bytes replaces the fixed-point formula: it is smaller than most formulas' code,
    and a load a value is faster than any.  Where the results are those of a clamp even the table
    is not needed.
    """
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    values = every_value(source.dtype)
    low, high = int(results.min()), int(results.max())
    all_int8 = source.dtype is DType.INT8 and target.dtype is DType.INT8
    if all_int8 and np.array_equal(results, np.clip(values, low, high)):
        return KernelCall(
            kernel="clamp_s8",
            params=(("low", low), ("high", high), ("elements", target.elements)),
            arguments=(TensorRef(source.index), TensorRef(target.index)),
        )
    table = np.empty(256, np.uint8)
    table[values & 0xFF] = results & 0xFF
    return KernelCall(
        kernel="lookup_8bit",
        params=(("elements", target.elements),),
        arguments=(TensorRef(source.index), ConstantRef("table"), TensorRef(target.index)),
        constants=(ConstantArray("table", table, "result for each input byte"),),
    )
