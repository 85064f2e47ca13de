"""Short requantization, proven offline: the same output for every sum that can occur.

The reference turns a sum into an output in two rounded steps and a clamp: about 15 instructions.
Outputs never fall as the sum rises, so all that counts is where they step: the smallest sum of
each output value.  The short form

    output = clamp(((sum * 2**gain * factor >> 32) + offset + (sum < 0 ? below : 0)) >> shift)

takes 3 or 4 instructions on a core with DSP instructions.  It is used where its steps lie at the
same sums as the reference's, for every sum from the smallest to the largest that the weights and
the bias of the channel allow.  That is a comparison of at most 255 numbers a channel, not a sample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.fixed_point import Integers, high_mul, wrap

# With more, a step's position may not fit the 63 bits it is computed in.
_LARGEST_SHIFT = 20
_LARGEST_RIGHT_SHIFT = 20

_LARGEST_LEFT_SHIFT = 8
_OFFSET_LIMIT = (1 << 29) - 1
_NUDGES = (0, 1, -1, 2, -2, 3, -3)


@dataclass(frozen=True, eq=False)
class SumRange:
    """The sums that can occur: one element a channel, both ends included."""

    least: Integers
    most: Integers

    def within(self, bits: int) -> bool:
        """Whether all are signed integers of that many bits."""
        limit = 1 << (bits - 1)
        return bool((self.least >= -limit).all() and (self.most < limit).all())


@dataclass(frozen=True)
class OutputRange:
    """How an int8 output is made of a scaled sum: offset (the zero point), then clamped."""

    zero_point: int
    low: int
    high: int


@dataclass(frozen=True, eq=False)
class ShortRequantization:
    """The constants of the short form: arrays with one element a channel; one shift for all.

    `below` is 0 everywhere where a fused ReLU clamps what negative sums become.
    """

    shift: int
    factors: Integers
    offsets: Integers
    below: Integers
    constant: NDArray[np.bool_]
    """Channels whose output is the same for every sum: their weights and bias do not matter."""

    @property
    def rounds_by_sign(self) -> bool:
        """Whether some channel treats negative sums differently."""
        return bool(self.below.any())


@dataclass(frozen=True, eq=False)
class ShortChannels:
    """The constants of a short form, the shift too: arrays with one element a channel."""

    shifts: Integers
    factors: Integers
    offsets: Integers
    below: Integers
    constant: NDArray[np.bool_]
    """As in `ShortRequantization`."""


def first_sums(multipliers: Integers, shifts: Integers, values: OutputRange) -> Integers:
    """The smallest sum whose output is at least y, for y from low + 1 to high, by channel.

    Shape [channels, high - low].  Follows `tinyml_requantize`: round(sum * multiplier / 2**31),
    halves up, then a rounding shift by -shift, halves away from zero.  Multipliers are above 0,
    shifts -20 to 8.
    """
    right = np.maximum(-shifts, 0)[:, None]
    left = np.maximum(shifts, 0)[:, None]
    steps = np.arange(values.low + 1, values.high + 1, dtype=np.int64)[None, :] - values.zero_point
    # Of negative values, halves go down: the next product is the first that reaches the step.
    ties = np.where((steps <= 0) & (right > 0), 1, 0)
    products = (steps << right) - ((1 << right) >> 1) + ties
    sums = -((-((products << 31) - (1 << 30))) // multipliers[:, None])
    first: Integers = -((-sums) >> left)
    return first


def prove(
    multipliers: Integers,
    shifts: Integers,
    sums: SumRange,
    values: OutputRange,
    gain: int,
    left_out: Integers | None = None,
    most_shift: int = _LARGEST_RIGHT_SHIFT,
) -> ShortRequantization | None:
    """Constants of a short form that equals the reference on all of `sums`, or None.

    multipliers, shifts: as `numerics.quantize_multiplier` returns them, one a channel.
    gain: the kernel's sums are 2**gain times the true ones; 1 to 14.
    left_out: what the kernel does not add to its sums, such as the bias: the offsets stand for it,
    and no channel treats negative sums differently.
    most_shift: where all channels shift to the right by more, their factors stand for the rest.
    """
    if not _monotone(multipliers, shifts, sums) or values.low >= values.high:
        return None
    least, most = (_outputs(ends, multipliers, shifts, values) for ends in (sums.least, sums.most))
    constant = least == most
    if constant.all():
        return None
    live = ~constant
    zeros = np.zeros_like(multipliers)
    sums = SumRange(np.where(live, sums.least, zeros), np.where(live, sums.most, zeros))
    right = -shifts[live]
    least_right = min(int(right.min()), most_shift)
    shift = least_right + gain - 1
    exact = 1 <= shift <= _LARGEST_SHIFT and right.max() <= _LARGEST_RIGHT_SHIFT
    missing = zeros if left_out is None else np.where(live, left_out, zeros)
    sums = SumRange(sums.least - missing, sums.most - missing)
    if not exact or right.min() < -_LARGEST_LEFT_SHIFT or not sums.within(32 - gain):
        return None
    safe = np.where(live, multipliers, 1 << 30)
    safe_shifts = np.where(live, shifts, -least_right)
    first = first_sums(safe, safe_shifts, values) - missing[:, None]
    finer = -safe_shifts - least_right
    nearest = (safe + (1 << finer >> 1)) >> finer
    found = _Constants.none(len(multipliers))
    for nudge in _NUDGES:
        factors = np.minimum(nearest + nudge, (1 << 31) - 1)
        constants = _constants(factors, first, sums, values, gain, shift)
        found = found.completed_by(constants if left_out is None else constants.by_no_sign())
        if found.proven.all():
            return ShortRequantization(
                shift,
                np.where(live, found.factors, 0),
                np.where(live, found.offsets, least << shift),
                np.where(live, found.below, 0),
                constant,
            )
    return None


def prove_each(
    multipliers: Integers, shifts: Integers, sums: SumRange, values: OutputRange, gain: int
) -> ShortChannels | None:
    """Constants by channel, shifts too, that equal the reference on all of `sums`, or None.

    Channels of one layer may differ as much as they like: each is proven by itself.
    """
    if not _monotone(multipliers, shifts, sums) or values.low >= values.high:
        return None
    outputs, most = (
        _outputs(ends, multipliers, shifts, values) for ends in (sums.least, sums.most)
    )
    constant = outputs == most
    zeros = np.zeros_like(multipliers)
    found = ShortChannels(zeros + 1, zeros.copy(), outputs << 1, zeros.copy(), constant)
    for shift in np.unique(shifts[~constant]):
        those = ~constant & (shifts == shift)
        short = prove(
            multipliers[those],
            shifts[those],
            SumRange(sums.least[those], sums.most[those]),
            values,
            gain,
            most_shift=_LARGEST_SHIFT - gain + 1,
        )
        if short is None:
            return None
        found.shifts[those] = short.shift
        found.factors[those] = short.factors
        found.offsets[those] = short.offsets
        found.below[those] = short.below
    return found


def _monotone(multipliers: Integers, shifts: Integers, sums: SumRange) -> bool:
    """Whether no sum overflows in the reference, so that outputs never fall as sums rise."""
    left = np.maximum(shifts, 0)
    shifted = SumRange(sums.least << left, sums.most << left)
    return bool((multipliers >= 0).all()) and sums.within(32) and shifted.within(32)


def _outputs(
    sums: Integers, multipliers: Integers, shifts: Integers, values: OutputRange
) -> Integers:
    """What the reference makes of one sum a channel."""
    shifted = wrap(sums << np.maximum(shifts, 0))
    products = high_mul(shifted, multipliers)
    right = np.maximum(-shifts, 0)
    mask = (np.int64(1) << right) - 1
    rounded = (products >> right) + ((products & mask) > (mask >> 1) + (products < 0))
    outputs: Integers = np.clip(rounded + values.zero_point, values.low, values.high)
    return outputs


@dataclass(frozen=True, eq=False)
class _Constants:
    """What was found so far: by channel, valid where `proven`."""

    proven: NDArray[np.bool_]
    factors: Integers
    offsets: Integers
    below: Integers

    @staticmethod
    def none(channels: int) -> _Constants:
        zeros = np.zeros(channels, np.int64)
        return _Constants(np.zeros(channels, bool), zeros, zeros, zeros)

    def by_no_sign(self) -> _Constants:
        """These, without the channels that treat negative sums differently."""
        return replace(self, proven=self.proven & (self.below == 0))

    def completed_by(self, other: _Constants) -> _Constants:
        """These, with the other's constants for the channels that have none yet."""

        def choose(mine: Integers, theirs: Integers) -> Integers:
            return np.where(self.proven, mine, theirs)

        return _Constants(
            self.proven | other.proven,
            choose(self.factors, other.factors),
            choose(self.offsets, other.offsets),
            choose(self.below, other.below),
        )


def _constants(
    factors: Integers,
    first: Integers,
    sums: SumRange,
    values: OutputRange,
    gain: int,
    shift: int,
) -> _Constants:
    """Offsets, and what to add below zero, that make all steps agree with these factors."""
    whole, alike = _feasible(factors, first, sums, values, gain, shift)
    positive = SumRange(np.maximum(sums.least, 0), np.maximum(sums.most, -1))
    negative = SumRange(np.minimum(sums.least, 0), np.minimum(sums.most, -1))
    above, above_proven = _feasible(factors, first, positive, values, gain, shift)
    under, under_proven = _feasible(factors, first, negative, values, gain, shift)
    return _Constants(
        alike | (above_proven & under_proven),
        factors,
        np.where(alike, whole, above),
        np.where(alike, 0, under - above),
    )


def _feasible(
    factors: Integers,
    first: Integers,
    sums: SumRange,
    values: OutputRange,
    gain: int,
    shift: int,
) -> tuple[Integers, NDArray[np.bool_]]:
    """Offsets with which every sum in `sums` gets the reference's output, and where there are any.

    An offset must lift the first sum of each step to its value, and the sum before it not so far.
    """
    targets = (np.arange(values.low + 1, values.high + 1, dtype=np.int64) << shift)[None, :]
    least, most = sums.least[:, None], sums.most[:, None]
    scaled = (factors << gain)[:, None]

    reached = np.maximum(first, least)
    needed = np.where(reached <= most, targets - (reached * scaled >> 32), -_OFFSET_LIMIT)
    before = np.minimum(first - 1, most)
    limit = np.where(before >= least, targets - 1 - (before * scaled >> 32), _OFFSET_LIMIT)
    low = np.maximum(needed.max(axis=1), -_OFFSET_LIMIT)
    high = np.minimum(limit.min(axis=1), _OFFSET_LIMIT)
    return low + (high - low) // 2, low <= high
