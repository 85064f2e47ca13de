"""What every shape rule is made of: its type, its failure, and the constants it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

Shape: TypeAlias = tuple[int, ...]

Rule: TypeAlias = Callable[[Operator, Graph], "tuple[Shape, ...] | None"]
"""The shapes of an operator's outputs, from its inputs and options.

None where they cannot be known, for instance since an index tensor is computed at run time.
Inputs and outputs are there in the right number, with positive lengths. Raises ShapeError.
"""


class ShapeError(ValueError):
    """Inputs and options of an operator do not fit together."""


def text(shape: Shape) -> str:
    """How messages write a shape: 1x49x10x1."""
    return "x".join(map(str, shape)) or "scalar"


def needs_rank(tensor: Tensor, rank: int, what: str) -> None:
    """Raise ShapeError unless the tensor has `rank` axes."""
    if len(tensor.shape) != rank:
        raise ShapeError(f"{what} {text(tensor.shape)} has rank {len(tensor.shape)}, needs {rank}")


def constant_integers(graph: Graph, index: int, what: str) -> tuple[int, ...] | None:
    """The values of an index tensor (axes, paddings); None where it is computed at run time."""
    tensor = graph.tensor(index)
    if tensor.dtype not in (DType.INT32, DType.INT64):
        raise ShapeError(f"{what} are {tensor.dtype.value}, must be int32")
    if tensor.data is None:
        return None
    values: list[int] = tensor.data.ravel().tolist()
    return tuple(values)


def inside(axis: int, rank: int) -> int:
    """The axis counted from the front; a negative one counts from the back."""
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} does not exist in a tensor of rank {rank}")
    return axis % rank
