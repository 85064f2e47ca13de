"""STRIDED_SLICE and SPLIT."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml_tool.compiler.lowering.movement import (
    axis_parameter,
    integer_parameters,
    require_movable,
)
from tinyml_tool.compiler.lowering.requirements import (
    CONVERT_AGAIN,
    require_input,
    require_operands,
    require_options,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.strided_view import StridedView, dense_steps, strided_copy_call
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.plan import KernelCall, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import StridedSliceOptions
from tinyml_tool.graph.types import DType, Graph, Operator

_SLICEABLE = (DType.INT8, DType.INT16, DType.INT32, DType.FLOAT32, DType.BOOL)
_SPLITTABLE = (DType.INT8, DType.INT16, DType.INT32, DType.FLOAT32)


@dataclass(frozen=True)
class _Range:
    """Indices start, start + step, ... along an axis, `count` of them."""

    start: int
    step: int
    count: int
    shrinks: bool


def _strided_slice(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Every `strides`-th index from `begin` up to `end` along each axis."""
    require_operands(operator, inputs=(4, 4))
    options = require_options(operator, StridedSliceOptions)
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_movable(source, target, *_SLICEABLE)
    require_rank(source, "input", 1, 4)
    _check_options(options)
    ranges = _ranges(operator, graph, source.shape, options)
    require_shape(target, "output", tuple(r.count for r in ranges if not r.shrinks))
    steps = dense_steps(source.shape)
    view = StridedView(
        offset=sum(r.start * step for r, step in zip(ranges, steps, strict=True)),
        counts=tuple(r.count for r in ranges),
        steps=tuple(r.step * step for r, step in zip(ranges, steps, strict=True)),
    )
    return strided_copy_call(view, source, target)


def _check_options(options: StridedSliceOptions) -> None:
    """Refuse what TFLM passes over silently."""
    ignored = {
        "an ellipsis mask": options.ellipsis_mask,
        "a new-axis mask": options.new_axis_mask,
        "ends given as offsets": options.offset,
    }
    for name, value in ignored.items():
        if value:
            raise UnsupportedOperatorError(
                f"{name} is not supported, nor by TFLM", "write out begin and end of every axis"
            )


def _ranges(
    operator: Operator, graph: Graph, shape: tuple[int, ...], options: StridedSliceOptions
) -> list[_Range]:
    parameters = {
        role: integer_parameters(operator, graph, position, role)
        for position, role in enumerate(("begin", "end", "strides"), start=1)
    }
    for role, values in parameters.items():
        if len(values) != len(shape):
            raise UnsupportedOperatorError(
                f"its {role} name {len(values)} of {len(shape)} axes",
                "write out begin, end and strides of every axis",
            )
    return [
        _axis_range(axis, shape[axis], bounds, options)
        for axis, bounds in enumerate(zip(*parameters.values(), strict=True))
    ]


def _axis_range(
    axis: int, length: int, bounds: tuple[int, ...], options: StridedSliceOptions
) -> _Range:
    """The range along one axis: negative positions count from its end, then all are clamped.

    bounds: begin, end and stride, by which the graph's checks found elements to take.
    """
    begin, end, stride = bounds
    lowest, highest = (0, length) if stride > 0 else (-1, length - 1)
    if options.begin_mask >> axis & 1:
        start = lowest if stride > 0 else highest
    else:
        start = _clamp(begin + length if begin < 0 else begin, lowest, highest)
    if options.shrink_axis_mask >> axis & 1:
        if stride < 0 or start >= length:
            raise UnsupportedOperatorError(
                f"index {begin} with stride {stride} along axis {axis} of length {length} names "
                "no element",
                CONVERT_AGAIN,
            )
        return _Range(start, stride, 1, shrinks=True)
    if options.end_mask >> axis & 1:
        stop = highest if stride > 0 else lowest
    else:
        stop = _clamp(end + length if end < 0 else end, lowest, highest)
    return _Range(start, stride, len(range(start, stop, stride)), shrinks=False)


def _clamp(value: int, lowest: int, highest: int) -> int:
    return min(max(value, lowest), highest)


def _split(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Into equal parts along an axis, as many as there are outputs."""
    parts = len(operator.outputs)
    require_operands(operator, inputs=(2, 2), outputs=max(parts, 1))
    source = require_input(operator, graph, 1, "input")
    axis = axis_parameter(operator, graph, 0, len(source.shape))
    length = source.shape[axis] // parts
    for output in operator.outputs:
        target = graph.tensors[output]
        require_movable(source, target, *_SPLITTABLE)
        require_shape(target, "output", (*source.shape[:axis], length, *source.shape[axis + 1 :]))
    return KernelCall(
        kernel="split",
        params=(
            ("outer", math.prod(source.shape[:axis])),
            ("count", parts),
            ("slice_bytes", math.prod((length, *source.shape[axis + 1 :])) * source.dtype.bytes),
        ),
        arguments=(TensorRef(source.index), *map(TensorRef, operator.outputs)),
    )


LOWERINGS: dict[str, Lowering] = {"STRIDED_SLICE": _strided_slice, "SPLIT": _split}
