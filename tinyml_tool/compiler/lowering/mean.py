"""MEAN."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml_tool.compiler.lowering.requirements import (
    CONVERT_AGAIN,
    require_data,
    require_dtype,
    require_input,
    require_operands,
    require_options,
    require_per_tensor,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.sums_s16 import require_symmetric
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.numerics import quantize_multiplier
from tinyml_tool.compiler.plan import KernelCall, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import ReduceOptions
from tinyml_tool.graph.types import DType, Graph, Operator

_MAX_RANK = 6
_KERNELS = {DType.INT8: "mean_s8", DType.INT16: "mean_s16"}

_SHIFT_MAX = 32
_SHIFT_MIN = -31


@dataclass(frozen=True)
class _Axis:
    extent: int
    stride: int


_ONE = _Axis(1, 0)


def _mean(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    require_operands(operator, (2, 2))
    options = require_options(operator, ReduceOptions)
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_dtype(source, "input", DType.INT8, DType.INT16)
    require_dtype(target, "output", source.dtype)
    if source.dtype is DType.INT16:
        for tensor, role in ((source, "input"), (target, "output")):
            require_symmetric(tensor, role)
    require_rank(source, "input", 1, _MAX_RANK)
    reduced = _reduced_axes(operator, graph, len(source.shape))
    kept_shape = tuple(
        1 if axis in reduced else size
        for axis, size in enumerate(source.shape)
        if options.keep_dims or axis not in reduced
    )
    require_shape(target, "output", kept_shape)
    kept = _merged(source.shape, set(range(len(source.shape))) - reduced)
    *run_axes, run = _merged(source.shape, reduced)
    run_axes = run_axes or [_ONE]
    count = math.prod(source.shape[axis] for axis in reduced)
    source_quantization = require_per_tensor(source, "input")
    target_quantization = require_per_tensor(target, "output")
    multiplier, shift = _with_division(
        *quantize_multiplier(source_quantization.scale / target_quantization.scale), count
    )
    offsets = (
        ("sum_offset", -source_quantization.zero_point * count),
        ("output_offset", target_quantization.zero_point),
    )
    return KernelCall(
        kernel=_KERNELS[source.dtype],
        params=(
            ("outputs", target.elements),
            ("axes", len(kept)),
            ("extents", _extents(kept)),
            ("strides", _strides(kept)),
            ("runs", math.prod(axis.extent for axis in run_axes)),
            ("run_length", run.extent),
            ("run_step", run.stride),
            ("run_axes", len(run_axes)),
            ("run_extents", _extents(run_axes)),
            ("run_strides", _strides(run_axes)),
            *(offsets if source.dtype is DType.INT8 else ()),
            ("multiplier", multiplier),
            ("shift", shift),
        ),
        arguments=(TensorRef(source.index), TensorRef(target.index)),
    )


def _reduced_axes(operator: Operator, graph: Graph, rank: int) -> set[int]:
    """The axes to average over, from 0 on; an axis may be named twice or from behind."""
    tensor = require_input(operator, graph, 1, "axes")
    if tensor.dtype is not DType.INT32:
        raise UnsupportedOperatorError(
            f"axes of type {tensor.dtype.value} are not supported (needs int32)", CONVERT_AGAIN
        )
    axes = [int(axis) for axis in require_data(tensor, "axes").reshape(-1)]
    for axis in axes:
        if not -rank <= axis < rank:
            raise UnsupportedOperatorError(
                f"axis {axis} is outside an input of {rank} dimensions", CONVERT_AGAIN
            )
    return {axis % rank for axis in axes}


def _merged(shape: tuple[int, ...], wanted: set[int]) -> list[_Axis]:
    """The wanted axes, outermost first, without those of length 1 and with neighbours merged."""
    axes: list[_Axis] = []
    stride = 1
    neighbour = False
    for axis in reversed(range(len(shape))):
        if shape[axis] == 1:
            continue
        if axis in wanted and neighbour:
            axes[0] = _Axis(axes[0].extent * shape[axis], axes[0].stride)
        elif axis in wanted:
            axes.insert(0, _Axis(shape[axis], stride))
        neighbour = axis in wanted
        stride *= shape[axis]
    return axes or [_ONE]


def _extents(axes: list[_Axis]) -> tuple[int, ...]:
    return tuple(axis.extent for axis in axes + [_ONE] * (_MAX_RANK - len(axes)))


def _strides(axes: list[_Axis]) -> tuple[int, ...]:
    return tuple(axis.stride for axis in axes + [_ONE] * (_MAX_RANK - len(axes)))


def _with_division(multiplier: int, shift: int, count: int) -> tuple[int, int]:
    """Fold a division by `count` into a multiplier, losing as little precision as possible.

    Source: TensorFlow Lite's reference of the quantized MEAN.
    """
    extra = min(count.bit_length() - 1, _SHIFT_MAX, shift - _SHIFT_MIN)
    return (multiplier << extra) // count, shift - extra


LOWERINGS: dict[str, Lowering] = {"MEAN": _mean}
