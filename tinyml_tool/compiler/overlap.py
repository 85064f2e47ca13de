"""How far a kernel's output may lie over its input: read off the order in which it works.

A kernel that never comes back to what it has read may write where that was.  For each such kernel
a rule here gives the lead: how many bytes, at least, the output must begin before the input so that
no write meets a byte that is still to be read.  A negative lead: the output may even begin later.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.plan import KernelCall, ParamValue, TensorRef
from tinyml_tool.graph.types import Graph, Operator

_Params: TypeAlias = dict[str, Any]
_Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """Tensor `output` may share bytes with tensor `input` of the same operator.

    Safe where the output begins at least `lead` bytes before the input; in bytes.
    """

    input: int
    output: int
    lead: int


def lead_of_steps(written: _Integers, needed: _Integers) -> int:
    """The lead of a kernel that works in steps.

    By step: `written`, the bytes of output written when it ends; `needed`, the first byte of input
    that this step or a later one reads.  What a step writes must end before that byte.
    """
    return int(np.max(written - needed))


def window_lead(params: _Params, output_channels: int, input_channels: int, step: int = 1) -> int:
    """The lead of a kernel that makes whole output pixels, row by row, from windows of input.

    `params` are those of a convolution or of pooling; `step` is how many neighbouring pixels of a
    row it makes together, reading any of their windows until all are written.
    """
    rows, columns = params["output_h"], params["output_w"]
    first_rows = np.maximum(0, np.arange(rows + 1) * params["stride_h"] - params["pad_h"])
    starts = np.arange(0, columns, step)
    first_columns = np.maximum(0, starts * params["stride_w"] - params["pad_w"])
    pixel, row = input_channels, params["input_w"] * input_channels
    # Windows of this row from here on, or those of the next row, which begin further left.
    here = first_rows[:-1, None] * row + first_columns[None, :] * pixel
    image = params["input_h"] * row
    next_row = np.append(first_rows[1:-1] * row, image)[:, None]
    needed = np.minimum(here, next_row)
    ends = np.minimum(starts + step, columns)
    written = (np.arange(rows)[:, None] * columns + ends[None, :]) * output_channels
    batch = np.arange(params["batches"])[:, None, None]
    size = rows * columns * output_channels
    return lead_of_steps(written + batch * size, needed + batch * image)


def _convolution(params: _Params) -> int:
    return window_lead(params, params["output_c"], params["input_c"])


def _patches(params: _Params, together: int = 3) -> int:
    """Some output pixels at a time, also across rows; their windows are read before."""
    rows, columns, pixel = params["output_h"], params["output_w"], params["input_c"]
    row = params["input_w"] * pixel
    first_rows = np.maximum(0, np.arange(rows) * params["stride_h"] - params["pad_h"]) * row
    first_columns = np.maximum(0, np.arange(columns) * params["stride_w"] - params["pad_w"]) * pixel
    batch = np.arange(params["batches"])[:, None, None] * params["input_h"] * row
    starts = (batch + first_rows[:, None] + first_columns[None, :]).reshape(-1)
    # What a pixel or a later one reads first: windows of the next row begin further left.
    needed = np.minimum.accumulate(starts[::-1])[::-1]
    written = np.arange(together, len(starts), together)
    if not written.size:
        return -int(params["batches"] * params["input_h"] * row)
    return lead_of_steps(written * params["patches.output_c"], needed[written])


def _lanes(params: _Params) -> int:
    return _patches(params, together=4)


def _depthwise(params: _Params) -> int:
    channels = params["input_c"]
    return window_lead(params, channels * params["depth_multiplier"], channels)


def _mve_window(params: _Params, row_bytes: int) -> int:
    """Rows are copied before an output row that needs them is written.

    row_bytes: of an output row.
    """
    rows = np.arange(params["output_h"])
    copied = rows * params["window.stride_h"] - params["window.pad_h"] + params["window.rows"]
    input_row = params["window.input_w"] * params["window.input_c"]
    needed = np.clip(copied, 0, params["window.input_h"]) * input_row
    batch = np.arange(params["batches"])[:, None]
    image = params["window.input_h"] * input_row
    written = (rows + 1) * row_bytes
    return lead_of_steps(written + batch * len(rows) * row_bytes, needed + batch * image)


def _convolution_mve(params: _Params) -> int:
    return _mve_window(params, params["output_w"] * params["output_c"])


def _depthwise_mve(params: _Params) -> int:
    return _mve_window(params, params["segments"] * params["segment_bytes"])


def _pointwise_mve(params: _Params) -> int:
    """Pixels are requantized some together, once all their inputs have been multiplied."""
    together, pixels = params["requantized"], params["pixels"]
    done = np.minimum(np.arange(together, pixels + together, together), pixels)
    return lead_of_steps(done * params["output_c"], done * params["input_c"])


def _pooling(params: _Params) -> int:
    return window_lead(params, params["channels"], params["channels"])


def _in_place(_params: _Params) -> int:
    """Elements in order, each read before its result, no wider than itself, is written."""
    return 0


def _quantize_integer(params: _Params) -> int | None:
    """In place only where a result is of the input's type, or a byte: C lets bytes alias all."""
    same = params["output_bytes"] == params["input_bytes"]
    return 0 if same or params["output_bytes"] == 1 else None


def _planes(params: _Params) -> int | None:
    """With stride 2, band by band of rows; see `is_in_place` for stride 1."""
    if params["stride"] == 1 or params["input_line_step"] < params["input_step"]:
        return None
    starts = np.arange(0, params["output_lines"], params["band"])
    first = np.maximum(0, starts * params["stride"] - params["pad_lines"])
    ends = np.minimum(starts + params["band"], params["output_lines"])
    image = params["input_lines"] * params["input_line_step"]
    size = params["output_lines"] * params["output_line_step"]
    batch = np.arange(params["batches"])[:, None]
    return lead_of_steps(
        batch * size + ends * params["output_line_step"],
        batch * image + first * params["input_line_step"],
    )


def _twice(rule: Callable[[_Params], int]) -> Callable[[_Params], int]:
    """The same kernel on values of two bytes."""
    return lambda params: 2 * rule(params)


def _pairs_s16(params: _Params) -> int:
    return _patches({**params, "patches.output_c": params["output_c"]}, together=2)


def _quads_s16(params: _Params) -> int:
    return window_lead(params, params["input_c"], params["input_c"])


def _patches_s4(params: _Params) -> int:
    return _patches({name.removeprefix("convolution."): params[name] for name in params})


_FIRST_INPUT: dict[str, Callable[[_Params], int | None]] = {
    "average_pool_2d_s8": _pooling,
    "average_pool_2d_s16": _twice(_pooling),
    "clamp_s16": _in_place,
    "clamp_s8": _in_place,
    "conv_2d_s16": _twice(_convolution),
    "conv_2d_s16_pairs": _twice(_pairs_s16),
    "conv_2d_s4": _convolution,
    "conv_2d_s4_patches": _patches_s4,
    "conv_2d_s8": _convolution,
    "conv_2d_s8_lanes": _lanes,
    "conv_2d_s8_mve": _convolution_mve,
    "conv_2d_s8_patches": _patches,
    "depthwise_conv_2d_s16": _twice(_depthwise),
    "depthwise_conv_2d_s16_quads": _twice(_quads_s16),
    "depthwise_conv_2d_s4": _depthwise,
    "depthwise_conv_2d_s8": _depthwise,
    "depthwise_conv_2d_s8_lanes": _planes,
    "depthwise_conv_2d_s8_mve": _depthwise_mve,
    "depthwise_conv_2d_s8_planes": _planes,
    "leaky_relu_s16": _in_place,
    "logistic_s16": _in_place,
    "lookup_8bit": _in_place,
    "max_pool_2d_s16": _twice(_pooling),
    "max_pool_2d_s8": _pooling,
    "pointwise_conv_2d_s8_mve": _pointwise_mve,
    "quantize_f32_s8": _in_place,
    "quantize_integer": _quantize_integer,
    "softmax_s16": _in_place,
    "softmax_s8": _in_place,
    "tanh_s16": _in_place,
}
"""Leads over the first input, by kernel."""

_ELEMENTWISE = frozenset(
    f"{kind}_{bits}"
    for kind in ("add", "maximum", "minimum", "mul", "sub")
    for bits in ("s8", "s16")
) | {"add_s8_linear"}
"""Kernels of two inputs that are in place over each input that is not repeated."""


_CHANNELS_TOGETHER = {"depthwise_conv_2d_s8_planes": 4, "depthwise_conv_2d_s8_lanes": 1}
"""Of the depthwise kernels that work channel by channel: how many they make at a time."""


def is_in_place(call: KernelCall) -> bool:
    """Whether the output may lie exactly where the first input is, though not a byte beside it.

    True of the depthwise kernels that work channel by channel, where every output lies at the place
    of the middle of its window: of a band of lines, all that it needs is copied before.
    """
    planes = _CHANNELS_TOGETHER.get(call.kernel)
    if planes is None:
        return False
    params: _Params = dict(call.params)
    same = (
        params[f"input_{of}"] == params[f"output_{of}"]
        for of in ("lines", "length", "line_step", "step")
    )
    return params["stride"] == 1 and params["channels"] % planes == 0 and all(same)


def overlaps(operator: Operator, graph: Graph, call: KernelCall) -> tuple[Overlap, ...]:
    """The inputs of `operator` that its output may overlap, once nothing else needs them."""
    output = operator.outputs[0]
    if call.kernel in _ELEMENTWISE:
        elements = math.prod(graph.tensors[output].shape)
        sources = [t for t in operator.inputs if math.prod(graph.tensors[t].shape) == elements]
        return tuple(Overlap(tensor, output, 0) for tensor in sources)
    source = operator.inputs[0]
    if TensorRef(source) not in call.arguments:
        return ()
    lead = _lead_over_first_input(call.kernel, call.params)
    return () if lead is None else (Overlap(source, output, lead),)


@lru_cache(maxsize=1024)
def _lead_over_first_input(kernel: str, params: tuple[tuple[str, ParamValue], ...]) -> int | None:
    """By the kernel's rule; None where it has none, or may not lie over its input.

    Remembered: each of the many placements that are tried for a model asks for all its layers.
    """
    rule = _FIRST_INPUT.get(kernel)
    return None if rule is None else rule(dict(params))
