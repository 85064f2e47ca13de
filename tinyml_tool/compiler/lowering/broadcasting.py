"""Two inputs of different shapes walked together: which runs of elements an output consists of."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml_tool.compiler.plan import ParamValue
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError

_AXES = 5
"""Axes that the kernels' parameters have room for, besides the one of a run."""


@dataclass(frozen=True)
class BroadcastAxis:
    """An axis of the output; a stride of 0 means that the input is repeated along it."""

    extent: int
    stride_1: int
    stride_2: int


def broadcast_shape(shape_1: tuple[int, ...], shape_2: tuple[int, ...]) -> tuple[int, ...]:
    """Numpy's broadcasting rule. Raises UnsupportedOperatorError where it does not apply."""
    pairs = zip(*_padded(shape_1, shape_2), strict=True)
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise UnsupportedOperatorError(
            f"shapes {'x'.join(map(str, shape_1))} and {'x'.join(map(str, shape_2))} do not "
            "broadcast",
            "reshape an input in the model",
        )
    return tuple(max(a, b) for a, b in zip(*_padded(shape_1, shape_2), strict=True))


def merged_axes(shape_1: tuple[int, ...], shape_2: tuple[int, ...]) -> list[BroadcastAxis]:
    """The output's axes, outermost first, without those of length 1 and with neighbours merged.

    Neighbours merge where both inputs go on or stay along both.  At least one axis remains.
    """
    full_1, full_2 = _padded(shape_1, shape_2)
    axes: list[BroadcastAxis] = []
    stride_1 = stride_2 = 1
    for size_1, size_2 in zip(reversed(full_1), reversed(full_2), strict=True):
        if size_1 == size_2 == 1:
            continue
        axis = BroadcastAxis(
            max(size_1, size_2), stride_1 if size_1 > 1 else 0, stride_2 if size_2 > 1 else 0
        )
        inner = axes[0] if axes else None
        if inner and _repeats(inner) == _repeats(axis):
            axes[0] = BroadcastAxis(inner.extent * axis.extent, inner.stride_1, inner.stride_2)
        else:
            axes.insert(0, axis)
        stride_1 *= size_1
        stride_2 *= size_2
    return axes or [BroadcastAxis(1, 1, 1)]


def broadcast_params(
    shape_1: tuple[int, ...], shape_2: tuple[int, ...]
) -> list[tuple[str, ParamValue]]:
    """The parameters with which kernels of two inputs begin: the innermost axis is a run."""
    *outer, run = merged_axes(shape_1, shape_2)
    outer = outer or [BroadcastAxis(1, 0, 0)]
    spare = [BroadcastAxis(1, 0, 0)] * (_AXES - len(outer))
    return [
        ("runs", math.prod(axis.extent for axis in outer)),
        ("run_length", run.extent),
        ("step_1", run.stride_1),
        ("step_2", run.stride_2),
        ("axes", len(outer)),
        ("extents", tuple(axis.extent for axis in outer + spare)),
        ("strides_1", tuple(axis.stride_1 for axis in outer + spare)),
        ("strides_2", tuple(axis.stride_2 for axis in outer + spare)),
    ]


def _repeats(axis: BroadcastAxis) -> tuple[bool, bool]:
    return axis.stride_1 == 0, axis.stride_2 == 0


def _padded(
    shape_1: tuple[int, ...], shape_2: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    rank = max(len(shape_1), len(shape_2))
    return (1,) * (rank - len(shape_1)) + shape_1, (1,) * (rank - len(shape_2)) + shape_2
