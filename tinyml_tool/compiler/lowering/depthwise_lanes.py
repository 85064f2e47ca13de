"""DEPTHWISE_CONV_2D 3x3 in planes of single channels: for cores without DSP instructions."""

from __future__ import annotations

import numpy as np

from tinyml_tool.compiler.fixed_point import wrap
from tinyml_tool.compiler.lowering.channel_sums import ChannelSums, requantized
from tinyml_tool.compiler.lowering.convolution_lanes import GAIN
from tinyml_tool.compiler.lowering.depthwise_planes import (
    LARGEST_SCRATCH,
    TAPS,
    PlaneGeometry,
    along_the_longer,
)
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ScratchRef,
    TensorRef,
)
from tinyml_tool.compiler.target import Target
from tinyml_tool.config import Optimize

_WINDOWS = 4
"""That are made together with one lane."""

_WHY = {
    1: "four outputs at a time: the core has neither DSP instructions nor long multiplication",
    2: "two products by one long multiplication",
}


def _line_length(geometry: PlaneGeometry, lanes: int) -> int:
    """Words of a plane's line where each of two lanes has half of its windows; bytes with one."""
    windows = geometry.along.output
    together = -(-windows // 2) if lanes > 1 else -(-windows // _WINDOWS) * _WINDOWS
    return (together - 1) * geometry.stride + TAPS


def _scratch_bytes(geometry: PlaneGeometry, lanes: int, band: int) -> int:
    """Bytes of a plane."""
    return geometry.lines_of(band) * _line_length(geometry, lanes) * (4 if lanes > 1 else 1)


def _band(geometry: PlaneGeometry, lanes: int, optimize: Optimize) -> int:
    """Output lines at a time: as many as fit a scratch buffer of moderate size."""
    fitting = [
        band
        for band in range(1, geometry.lines.output + 1)
        if _scratch_bytes(geometry, lanes, band) <= LARGEST_SCRATCH[optimize]
    ]
    return max(fitting, default=1)


def depthwise_lanes_call(
    sums: ChannelSums, geometry: PlaneGeometry, source: int, target: int, machine: Target
) -> KernelCall | str:
    """The call of `depthwise_conv_2d_s8_lanes`, or why that kernel cannot be used.

    sums: weights [channels, 9], row by row.
    """
    lanes = 2 if machine.core.long_multiplication else 1
    rest = requantized(sums, GAIN)
    if rest is None:
        return "sums may need more than 24 bits"
    chosen = along_the_longer(geometry)
    weights = rest.weights.reshape(-1, TAPS, TAPS)
    if chosen is not geometry:
        weights = weights.transpose(0, 2, 1)
    lines, along = chosen.lines, chosen.along
    band = _band(chosen, lanes, machine.optimize)
    zero = sums.zero_point * rest.weights.astype(np.int64).sum(axis=1)
    bias = wrap(rest.bias - zero).astype(np.int32)
    return KernelCall(
        kernel="depthwise_conv_2d_s8_lanes",
        params=(
            ("batches", chosen.batches),
            ("channels", chosen.channels),
            ("input_lines", lines.input),
            ("input_length", along.input),
            ("output_lines", lines.output),
            ("output_length", along.output),
            ("input_line_step", lines.input_step),
            ("input_step", along.input_step),
            ("output_line_step", lines.output_step),
            ("output_step", along.output_step),
            ("stride", chosen.stride),
            ("pad_lines", lines.pad),
            ("pad_length", along.pad),
            ("padding", sums.zero_point),
            ("band", band),
            ("lanes", lanes),
            ("plane_length", _line_length(chosen, lanes)),
            ("requantization", rest.mode),
            ("shift", rest.shift),
            ("output_offset", sums.output.zero_point),
            ("activation_min", sums.output.low),
            ("activation_max", sums.output.high),
        ),
        arguments=(
            TensorRef(source),
            ConstantRef("weights"),
            ConstantRef("channels"),
            ScratchRef(),
            TensorRef(target),
        ),
        constants=(
            ConstantArray("weights", weights.reshape(-1).astype(np.int8), "channel by channel"),
            rest.table(bias),
        ),
        scratch_bytes=_scratch_bytes(chosen, lanes, band),
        reason=f"3x3, {_WHY[lanes]}; {rest.reason}",
    )
