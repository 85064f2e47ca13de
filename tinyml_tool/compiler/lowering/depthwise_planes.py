"""DEPTHWISE_CONV_2D 3x3 in planes of single channels: for cores with DSP instructions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinyml_tool.compiler.fixed_point import wrap
from tinyml_tool.compiler.lowering.channel_sums import ChannelSums, requantized
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ScratchRef,
    TensorRef,
)
from tinyml_tool.config import Optimize

_GAIN = 8
_PLANES = 4
TAPS = 3
LARGEST_SCRATCH: dict[Optimize, int] = {"size": 1024, "balanced": 2048, "speed": 16384}


@dataclass(frozen=True)
class PlaneAxis:
    """A direction of the input: `step` is the distance of neighbours in bytes."""

    input: int
    output: int
    pad: int
    input_step: int
    output_step: int


@dataclass(frozen=True, eq=False)
class PlaneGeometry:
    """Input and output of a depthwise convolution 3x3 without dilation, both strides equal."""

    batches: int
    channels: int
    stride: int
    lines: PlaneAxis
    along: PlaneAxis
    """Within a line."""

    @property
    def plane_length(self) -> int:
        """Words of a plane's line: outputs come in twos, and each reads three values."""
        pairs = -(-self.along.output // 2)
        return (2 * pairs * self.stride + (TAPS - self.stride) + 1) // 2

    def lines_of(self, band: int) -> int:
        """Input lines that so many output lines need."""
        return (band - 1) * self.stride + TAPS

    def scratch_bytes(self, band: int) -> int:
        """Bytes of the planes."""
        return _PLANES * self.lines_of(band) * self.plane_length * 4

    def band(self, optimize: Optimize) -> int:
        """Output lines at a time: as many as fit a scratch buffer of moderate size."""
        fitting = [
            band
            for band in range(1, self.lines.output + 1)
            if self.scratch_bytes(band) <= LARGEST_SCRATCH[optimize]
        ]
        return max(fitting, default=1)

    def smaller_band(self, band: int) -> int:
        """Output lines at a time with one filling of the planes more; `band` if it is least."""
        fillings = -(-self.lines.output // band)
        return -(-self.lines.output // (fillings + 1))


def along_the_longer(geometry: PlaneGeometry) -> PlaneGeometry:
    """Lines along the direction with more outputs, which costs fewer loops."""
    if geometry.lines.output <= geometry.along.output:
        return geometry
    return replace(geometry, lines=geometry.along, along=geometry.lines)


def planes_call(
    sums: ChannelSums, geometry: PlaneGeometry, source: int, target: int, optimize: Optimize
) -> KernelCall | str:
    """The call of `depthwise_conv_2d_s8_planes`, or why that kernel cannot be used.

    sums: weights [channels, 9], row by row.
    """
    rest = requantized(sums, _GAIN)
    if rest is None:
        return "sums may need more than 24 bits"
    chosen = along_the_longer(geometry)
    weights = rest.weights.reshape(-1, TAPS, TAPS)
    if chosen is not geometry:
        weights = weights.transpose(0, 2, 1)
    zero = sums.zero_point * rest.weights.astype(np.int64).sum(axis=1)
    bias = wrap((rest.bias - zero) << _GAIN).astype(np.int32)
    lines, along = chosen.lines, chosen.along
    band = chosen.band(optimize)
    call = KernelCall(
        kernel="depthwise_conv_2d_s8_planes",
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
            ("plane_length", chosen.plane_length),
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
            ConstantArray(
                "weights",
                np.append(weights.reshape(-1), np.int8(0)).astype(np.int8),
                "channel by channel, and a byte that may be read",
            ),
            rest.table(bias),
        ),
        scratch_bytes=chosen.scratch_bytes(band),
        reason=f"3x3 on a core with DSP instructions; {rest.reason}",
    )
    return replace(call, frugal=_frugal(call, chosen, band))


def _frugal(call: KernelCall, geometry: PlaneGeometry, band: int) -> KernelCall | None:
    """The call with planes of fewer lines; None where they are as few as can be."""
    smaller = geometry.smaller_band(band)
    if smaller >= band:
        return None
    return replace(
        call,
        params=tuple((name, smaller if name == "band" else value) for name, value in call.params),
        scratch_bytes=geometry.scratch_bytes(smaller),
        reason=f"{call.reason}; planes of few lines for a smaller arena",
    )
