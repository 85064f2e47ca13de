"""What is known offline of a layer that adds products of inputs and constant weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.fixed_point import Integers
from tinyml_tool.compiler.numerics import quantize_multiplier
from tinyml_tool.compiler.plan import ConstantArray
from tinyml_tool.compiler.requantization_proof import (
    OutputRange,
    ShortChannels,
    ShortRequantization,
    SumRange,
    prove,
    prove_each,
)

SHORT, SIGNED, CLAMPED, EXACT = 0, 1, 2, 3
"""As in `short_requantize.h`."""

_STEPS = {
    SHORT: "short requantization",
    SIGNED: "short requantization that rounds by sign",
    CLAMPED: "short requantization and a clamp",
}


@dataclass(frozen=True, eq=False)
class UnitedSums:
    """All sums of a layer whose channels share one factor, as if they were of one channel."""

    range: SumRange
    factor: float
    output: OutputRange

    def proven(self, gain: int) -> ShortRequantization | None:
        """Constants of a short requantization for sums that are 2**gain times the true ones."""
        multiplier, shift = quantize_multiplier(self.factor)
        found = prove(
            np.array([multiplier], np.int64),
            np.array([shift], np.int64),
            self.range,
            self.output,
            gain,
        )
        # A layer that always answers the same is left to the general kernel.
        return None if found is None or found.constant.any() else found


@dataclass(frozen=True, eq=False)
class ChannelSums:
    """Weights [channels, values], int8 with zero point 0, and bias [channels] of a layer."""

    weights: NDArray[Any]
    bias: Integers
    zero_point: int
    """Of the input."""
    factors: tuple[float, ...]
    """From a sum to an output, one a channel."""
    output: OutputRange

    @property
    def range(self) -> SumRange:
        """The sums that int8 inputs can make, padding (the zero point) included."""
        wide = self.weights.astype(np.int64)
        highest, lowest = wide * (127 - self.zero_point), wide * (-128 - self.zero_point)
        return SumRange(
            np.minimum(highest, lowest).sum(axis=1) + self.bias,
            np.maximum(highest, lowest).sum(axis=1) + self.bias,
        )

    def united(self) -> UnitedSums:
        """All channels as one; they have one factor."""
        least, most = self.range.least.min(), self.range.most.max()
        whole = SumRange(np.array([least]), np.array([most]))
        return UnitedSums(whole, self.factors[0], self.output)

    @property
    def multipliers(self) -> tuple[Integers, Integers]:
        """Multiplier and shift of each channel."""
        pairs = np.array([quantize_multiplier(factor) for factor in self.factors], np.int64)
        return pairs[:, 0], pairs[:, 1]

    def proven(self, gain: int, left_out: Integers | None = None) -> ShortRequantization | None:
        """Constants of a short requantization for sums that are 2**gain times the true ones.

        left_out: of each channel, what is not part of the kernel's sums.
        """
        multipliers, shifts = self.multipliers
        return prove(multipliers, shifts, self.range, self.output, gain, left_out)

    def proven_each(self, gain: int) -> ShortChannels | None:
        """The same with a shift for each channel."""
        multipliers, shifts = self.multipliers
        return prove_each(multipliers, shifts, self.range, self.output, gain)


@dataclass(frozen=True, eq=False)
class RequantizedChannels:
    """Weights and bias that are left, and how their sums become outputs."""

    weights: NDArray[Any]
    bias: Integers
    mode: int
    shift: int
    constants: NDArray[np.int64]
    """[channels, 2 or 3]: what follows the bias in a kernel's constants."""
    reason: str

    @property
    def names(self) -> str:
        """What a kernel's constants are."""
        return {
            SHORT: "bias, factor and offset",
            SIGNED: "bias, factor, offset and what is added below zero",
            CLAMPED: "bias, factor, offset and what is added below zero",
            EXACT: "bias, multiplier and shift",
        }[self.mode]

    def table(self, folded_bias: NDArray[np.int32]) -> ConstantArray:
        """The kernel's constants channel by channel, the bias first."""
        values = np.column_stack([folded_bias.astype(np.int64), self.constants])
        return ConstantArray(
            "channels", values.astype(np.int32).reshape(-1), f"of each channel: {self.names}"
        )


def requantized(sums: ChannelSums, gain: int) -> RequantizedChannels | None:
    """The shortest exact requantization, or None where sums times 2**gain may not fit 32 bits."""
    short = sums.proven(gain)
    if short is not None:
        live = ~short.constant
        clamps = (sums.output.low, sums.output.high) != (-128, 127)
        mode = CLAMPED if clamps else SIGNED if short.rounds_by_sign else SHORT
        columns = [short.factors, short.offsets] + [short.below] * (mode != SHORT)
        return RequantizedChannels(
            sums.weights * live[:, None].astype(sums.weights.dtype),
            sums.bias * live,
            mode,
            short.shift,
            np.column_stack(columns),
            f"{_STEPS[mode]}, proven for all sums",
        )
    if not sums.range.within(32 - gain):
        return None
    return RequantizedChannels(
        sums.weights,
        sums.bias,
        EXACT,
        0,
        np.column_stack(sums.multipliers),
        "exact requantization, as the short one is not proven",
    )
