"""TRANSPOSE."""

from __future__ import annotations

from tinyml_tool.compiler.lowering.movement import integer_parameters, require_movable
from tinyml_tool.compiler.lowering.requirements import (
    require_input,
    require_operands,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.strided_view import StridedView, dense_steps, strided_copy_call
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.plan import KernelCall
from tinyml_tool.compiler.target import Target
from tinyml_tool.graph.types import DType, Graph, Operator


def _transpose(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Axis `i` of the output is axis `permutation[i]` of the input.

    The graph's checks have made sure that it is a permutation.
    """
    require_operands(operator, inputs=(2, 2))
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_movable(source, target, DType.INT8, DType.INT16, DType.FLOAT32)
    require_rank(source, "input", 1, 5)
    permutation = integer_parameters(operator, graph, 1, "permutation")
    shape = tuple(source.shape[axis] for axis in permutation)
    require_shape(target, "output", shape)
    steps = dense_steps(source.shape)
    view = StridedView(0, shape, tuple(steps[axis] for axis in permutation))
    return strided_copy_call(view, source, target)


LOWERINGS: dict[str, Lowering] = {"TRANSPOSE": _transpose}
