"""ARG_MAX."""

from __future__ import annotations

import math

from tinyml_tool.compiler.lowering.movement import axis_parameter
from tinyml_tool.compiler.lowering.requirements import (
    require_dtype,
    require_input,
    require_operands,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.plan import KernelCall, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.types import DType, Graph, Operator


def _arg_max(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Index of the largest value along an axis, which the output does not have."""
    require_operands(operator, inputs=(2, 2))
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_dtype(source, "input", DType.INT8)
    require_rank(source, "input", 1, 6)
    if target.dtype is not DType.INT32:
        raise UnsupportedOperatorError(
            f"output type {target.dtype.value} is not supported, nor by TFLM (needs int32)",
            "give output_type=tf.int32 to tf.argmax in the model",
        )
    axis = axis_parameter(operator, graph, 1, len(source.shape))
    require_shape(target, "output", source.shape[:axis] + source.shape[axis + 1 :])
    return KernelCall(
        kernel="arg_max_s8",
        params=(
            ("outer", math.prod(source.shape[:axis])),
            ("depth", source.shape[axis]),
            ("inner", math.prod(source.shape[axis + 1 :])),
        ),
        arguments=(TensorRef(source.index), TensorRef(target.index)),
    )


LOWERINGS: dict[str, Lowering] = {"ARG_MAX": _arg_max}
