"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same data under another shape, so nothing to compute.

Which shape that is has been checked with the graph; here it only counts that it holds the same
number of elements.
"""

from __future__ import annotations

from tinyml_tool.compiler.lowering.movement import axis_parameter, require_movable
from tinyml_tool.compiler.lowering.requirements import (
    CONVERT_AGAIN,
    require_input,
    require_operands,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.plan import KernelCall
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.types import DType, Graph, Operator

_ANY = (
    DType.INT8,
    DType.UINT8,
    DType.INT16,
    DType.INT32,
    DType.INT64,
    DType.FLOAT32,
    DType.BOOL,
)


def _reshape(operator: Operator, graph: Graph, _machine: Target) -> KernelCall | None:
    """To the output's shape; like TFLM without a look at the shape given as an input."""
    require_operands(operator, inputs=(1, 2))
    _require_same_data(operator, graph, _ANY)
    return None


def _squeeze(operator: Operator, graph: Graph, _machine: Target) -> KernelCall | None:
    """Without axes of length 1."""
    require_operands(operator, inputs=(1, 1))
    _require_same_data(operator, graph, _ANY)
    return None


def _expand_dims(operator: Operator, graph: Graph, _machine: Target) -> KernelCall | None:
    """With one more axis of length 1."""
    require_operands(operator, inputs=(2, 2))
    target = graph.tensors[operator.outputs[0]]
    axis_parameter(operator, graph, 1, len(target.shape))
    _require_same_data(operator, graph, (DType.INT8, DType.INT16, DType.FLOAT32))
    return None


def _require_same_data(operator: Operator, graph: Graph, types: tuple[DType, ...]) -> None:
    """Require input and output of one type and as many elements."""
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_movable(source, target, *types)
    if source.elements != target.elements:
        raise UnsupportedOperatorError(
            f"{source.elements} elements do not fill an output of {target.elements}", CONVERT_AGAIN
        )


LOWERINGS: dict[str, Lowering] = {
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _expand_dims,
}
