"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from dataclasses import replace

from tinyml_tool.compiler.lowering.requirements import (
    require_dtype,
    require_input,
    require_operands,
    require_options,
    require_per_tensor,
    require_rank,
    require_same_quantization,
    require_shape,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.lowering.windows import window_axis
from tinyml_tool.compiler.numerics import activation_range
from tinyml_tool.compiler.plan import KernelCall, TensorRef
from tinyml_tool.compiler.pooling_costs import pooling_costs
from tinyml_tool.compiler.target import Target
from tinyml_tool.graph.options import Pool2DOptions
from tinyml_tool.graph.types import DType, Graph, Operator

_SUFFIXES = {DType.INT8: "s8", DType.INT16: "s16"}
"""Of kernel names."""


def _pool_2d(operator: Operator, graph: Graph, kernel: str) -> KernelCall:
    require_operands(operator, (1, 1))
    options = require_options(operator, Pool2DOptions)
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    for tensor, role in ((source, "input"), (target, "output")):
        require_dtype(tensor, role, DType.INT8, DType.INT16)
        require_rank(tensor, role, 4)
        require_per_tensor(tensor, role)
    require_dtype(target, "output", source.dtype)
    require_same_quantization((source, "input"), (target, "output"))
    batches, height, width, channels = source.shape
    rows = window_axis(options.padding, height, options.filter_h, options.stride_h)
    columns = window_axis(options.padding, width, options.filter_w, options.stride_w)
    require_shape(target, "output", (batches, rows.output, columns.output, channels))
    low, high = activation_range(
        options.activation, source.dtype, require_per_tensor(target, "output")
    )
    return KernelCall(
        kernel=f"{kernel}_{_SUFFIXES[source.dtype]}",
        params=(
            ("batches", batches),
            ("input_h", height),
            ("input_w", width),
            ("channels", channels),
            ("filter_h", options.filter_h),
            ("filter_w", options.filter_w),
            ("output_h", rows.output),
            ("output_w", columns.output),
            ("stride_h", options.stride_h),
            ("stride_w", options.stride_w),
            ("pad_h", rows.pad),
            ("pad_w", columns.pad),
            ("activation_min", low),
            ("activation_max", high),
        ),
        arguments=(TensorRef(source.index), TensorRef(target.index)),
    )


def _average_pool_2d(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    call = _pool_2d(operator, graph, "average_pool_2d")
    if graph.tensors[operator.inputs[0]].dtype is DType.INT16:
        return call
    taps = operator.options
    fours = (
        machine.core.dsp
        and isinstance(taps, Pool2DOptions)
        and taps.filter_h * taps.filter_w <= _LARGEST_WINDOW_OF_PAIRS
        and graph.tensors[operator.inputs[0]].shape[3] >= 4
    )
    reason = "one channel at a time"
    if fours and isinstance(taps, Pool2DOptions):
        costs = pooling_costs(machine.core.name)
        count = taps.filter_h * taps.filter_w
        four, one = costs.fours.at(count), costs.ones.at(count)
        fours = four < one
        names = ("four channels at a time by DSP instructions", "one channel at a time")
        better, worse = sorted(((four, names[0]), (one, names[1])))
        reason = (
            f"{better[1]}: {better[0]:.0f} instructions for 4 channels of an output, not "
            f"{worse[0]:.0f} (cost model)"
        )
    place = [name for name, _ in call.params].index("activation_min")
    params = (*call.params[:place], ("by_fours", int(fours)), *call.params[place:])
    return replace(call, params=params, reason=reason)


def _max_pool_2d(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    return _pool_2d(operator, graph, "max_pool_2d")


_LARGEST_WINDOW_OF_PAIRS = 255
"""Elements whose sum fits 16 bits."""

LOWERINGS: dict[str, Lowering] = {
    "AVERAGE_POOL_2D": _average_pool_2d,
    "MAX_POOL_2D": _max_pool_2d,
}
