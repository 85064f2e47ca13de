"""What kernels for vector instructions need to turn sums into outputs, see mve_requantize.h."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.fixed_point import Integers, wrap
from tinyml_tool.compiler.lowering.channel_sums import ChannelSums
from tinyml_tool.compiler.plan import ConstantArray, ParamValue

LANES = 16
UP, AWAY, EXACT, SHORT = 0, 1, 2, 3
"""As in `mve_requantize.h`."""

_GAINS = (14, 13, 12, 11, 10, 9, 8)
_SHIFTS = range(2, 21)
"""By two instructions that narrow, each by 1 or more."""

_REASONS = {
    UP: "rounds halves up, as a fused ReLU clamps those below zero",
    AWAY: "rounds halves away from zero",
    EXACT: "shifts both ways, as some factors are near 1 or above",
    SHORT: "short requantization, proven for all sums",
}


@dataclass(frozen=True, eq=False)
class VectorRequantization:
    """Constants of each channel, and how its scaled sums are rounded.

    Exact for every sum: the multiplication rounds as the reference's does, and so does the shift.
    """

    sums: ChannelSums
    rounding: int
    columns: tuple[Integers, ...]
    """Bias, multiplier, minus the right shift and, for EXACT, the left shift.

    For SHORT, factor and offset.
    """
    gain: int = 0
    shift: int = 0
    """For SHORT."""

    def params(self, blocks: int) -> list[tuple[str, ParamValue]]:
        """The kernels' field `requantize`."""
        return [
            ("requantize.blocks", blocks),
            ("requantize.rounding", self.rounding),
            ("requantize.output_offset", self.sums.output.zero_point),
            ("requantize.activation_min", self.sums.output.low),
            ("requantize.activation_max", self.sums.output.high),
            ("requantize.gain", self.gain),
            ("requantize.shift", self.shift),
        ]

    def table(self, lanes: NDArray[np.int64]) -> ConstantArray:
        """Constants in the order of the outputs' channels `lanes`, a multiple of 16."""
        rows = [column[lanes].reshape(-1, 4, 4).transpose(0, 2, 1) for column in self.columns]
        values = np.stack(rows, axis=2).reshape(-1).astype(np.int32)
        names = "bias, multiplier and minus the right shift"
        if self.rounding == SHORT:
            names = "factor and offset"
        elif self.rounding == EXACT:
            names += ", and left shift"
        return ConstantArray("constants", values, f"four and four {names}")

    @property
    def reason(self) -> str:
        """For the user: how it rounds."""
        return _REASONS[self.rounding]


def _short(sums: ChannelSums, bias: Integers) -> VectorRequantization | None:
    """Short requantization with the most precise sums for which it is proven.

    bias: of each channel, with the input's zero point: the offsets stand for it.
    """
    for gain in _GAINS:
        found = sums.proven(gain, left_out=bias)
        if found is not None and found.shift in _SHIFTS:
            # Narrowing to 16 and to 8 bits rounds: see `tinyml_mve_rounding`.
            first = found.shift - max(1, found.shift - 16)
            rounding = (1 << (first - 1)) + (1 << (found.shift - 1))
            constants = (found.factors, found.offsets - rounding)
            return VectorRequantization(sums, SHORT, constants, gain, found.shift)
    return None


def vector_requantization(sums: ChannelSums) -> VectorRequantization:
    """The cheapest steps that are exact for every sum of the layer."""
    multipliers, shifts = sums.multipliers
    zero = sums.zero_point * sums.weights.astype(np.int64).sum(axis=1)
    short = _short(sums, sums.bias - zero)
    if short is not None:
        return short
    columns = [wrap(sums.bias - zero), multipliers, np.minimum(shifts, 0)]
    rounding = UP
    if (shifts > 0).any() or ((shifts == 0).any() and sums.output.low < sums.output.zero_point):
        rounding = EXACT
        columns.append(np.maximum(shifts, 0))
    elif sums.output.low < sums.output.zero_point:
        rounding = AWAY
    return VectorRequantization(sums, rounding, tuple(columns))


def blocks_of(channels: int, values: int) -> int:
    """Times 16 outputs after which the channels repeat, or those that `values` outputs take."""
    return min(math.lcm(channels, LANES), -(-values // LANES) * LANES) // LANES


def repeated_channels(channels: int, blocks: int) -> NDArray[np.int64]:
    """The channels of 16 * blocks neighbouring outputs."""
    return np.arange(blocks * LANES, dtype=np.int64) % channels
