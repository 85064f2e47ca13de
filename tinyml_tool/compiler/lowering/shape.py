"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same data under another shape, so nothing to compute."""

from __future__ import annotations

from tinyml_tool.boards import Core
from tinyml_tool.compiler.lowering.movement import (
    integer_parameters,
    positive_axis,
    require_movable,
)
from tinyml_tool.compiler.lowering.requirements import (
    CONVERT_AGAIN,
    require_input,
    require_operands,
    require_options,
    require_shape,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.plan import KernelCall
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import SqueezeOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

_ANY = (
    DType.INT8,
    DType.UINT8,
    DType.INT16,
    DType.INT32,
    DType.INT64,
    DType.FLOAT32,
    DType.BOOL,
)


def _reshape(operator: Operator, graph: Graph, _core: Core) -> KernelCall | None:
    """To the output's shape; like TFLM without a look at the shape given as an input."""
    require_operands(operator, inputs=(1, 2))
    source, target = _operands(operator, graph)
    require_movable(source, target, *_ANY)
    if source.elements != target.elements:
        raise UnsupportedOperatorError(
            f"{source.elements} elements do not fill an output of {target.elements}", CONVERT_AGAIN
        )
    return None


def _squeeze(operator: Operator, graph: Graph, _core: Core) -> KernelCall | None:
    """Without the named axes of length 1, or without all of them."""
    require_operands(operator, inputs=(1, 1))
    source, target = _operands(operator, graph)
    require_movable(source, target, *_ANY)
    rank = len(source.shape)
    axes = {positive_axis(axis, rank) for axis in require_options(operator, SqueezeOptions).axes}
    for axis in axes:
        if source.shape[axis] != 1:
            raise UnsupportedOperatorError(
                f"axis {axis} has the length {source.shape[axis]} (needs 1)", CONVERT_AGAIN
            )
    if not axes:
        axes = {axis for axis in range(rank) if source.shape[axis] == 1}
    kept = tuple(length for axis, length in enumerate(source.shape) if axis not in axes)
    require_shape(target, "output", kept)
    return None


def _expand_dims(operator: Operator, graph: Graph, _core: Core) -> KernelCall | None:
    """With one more axis of length 1."""
    require_operands(operator, inputs=(2, 2))
    source, target = _operands(operator, graph)
    require_movable(source, target, DType.INT8, DType.INT16, DType.FLOAT32)
    axes = integer_parameters(operator, graph, 1, "axis")
    if len(axes) != 1:
        raise UnsupportedOperatorError(f"it has {len(axes)} axes (needs 1)", CONVERT_AGAIN)
    axis = positive_axis(axes[0], len(source.shape) + 1)
    require_shape(target, "output", (*source.shape[:axis], 1, *source.shape[axis:]))
    return None


def _operands(operator: Operator, graph: Graph) -> tuple[Tensor, Tensor]:
    return require_input(operator, graph, 0, "input"), graph.tensors[operator.outputs[0]]


LOWERINGS: dict[str, Lowering] = {
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _expand_dims,
}
