"""What operators that only move data require of their types and parameters."""

from __future__ import annotations

from tinyml_tool.compiler.lowering.requirements import CONVERT_AGAIN, require_data, require_input
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor


def require_movable(source: Tensor, target: Tensor, *allowed: DType) -> None:
    """Require one of the types that TFLM moves, the same for input and output."""
    if source.dtype not in allowed:
        names = ", ".join(dtype.value for dtype in allowed)
        raise UnsupportedOperatorError(
            f"tensors of type {source.dtype.value} are not supported, nor by TFLM "
            f"(needs one of {names})",
            "quantize the model to int8 with representative data",
        )
    if target.dtype is not source.dtype:
        raise UnsupportedOperatorError(
            f"its output is {target.dtype.value}, its input {source.dtype.value}", CONVERT_AGAIN
        )


def integer_parameters(
    operator: Operator, graph: Graph, position: int, role: str
) -> tuple[int, ...]:
    """Values of the int32 constant at `position`, such as an axis or paddings."""
    tensor = require_input(operator, graph, position, role)
    values = require_data(tensor, role)
    if tensor.dtype is not DType.INT32:
        raise UnsupportedOperatorError(
            f"its {role} are of type {tensor.dtype.value} (needs int32, as in TFLM)",
            f"make the {role} int32 in the model",
        )
    return tuple(int(value) for value in values.reshape(-1))


def axis_parameter(operator: Operator, graph: Graph, position: int, rank: int) -> int:
    """The axis given by the constant at `position`, counted from the front."""
    values = integer_parameters(operator, graph, position, "axis")
    if len(values) != 1:
        raise UnsupportedOperatorError(f"it has {len(values)} axes (needs 1)", CONVERT_AGAIN)
    return positive_axis(values[0], rank)


def positive_axis(axis: int, rank: int) -> int:
    """An axis of a tensor of `rank` dimensions, counted from the front; negative: from the back."""
    if not -rank <= axis < rank:
        raise UnsupportedOperatorError(
            f"axis {axis} does not exist in a tensor of {rank} dimensions", CONVERT_AGAIN
        )
    return axis % rank
