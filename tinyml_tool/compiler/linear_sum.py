"""ADD as one linear function of both inputs, checked offline against the reference for all of them.

There are only 65,536 pairs of int8 values.  The reference rounds three times; the linear function

    output = clamp((a * factor_1 + b * factor_2 + offset) >> shift)

rounds once.  It is used where both agree on every pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_tool.compiler.fixed_point import Integers, requantize

_SHIFTS = (20, 19, 18, 17, 16, 21, 22)
_HEADROOM = 20


@dataclass(frozen=True)
class SumArithmetic:
    """The reference's parameters, named as in `add_s8.h`."""

    offset_1: int
    offset_2: int
    multiplier_1: int
    multiplier_2: int
    shift_1: int
    shift_2: int
    output_offset: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int

    def outputs(self) -> Integers:
        """Of every pair of inputs: [256, 256], both from -128 on."""
        values = np.arange(-128, 128, dtype=np.int64)
        scaled_1 = requantize(
            (values + self.offset_1) << _HEADROOM, self.multiplier_1, self.shift_1
        )
        scaled_2 = requantize(
            (values + self.offset_2) << _HEADROOM, self.multiplier_2, self.shift_2
        )
        sums = scaled_1[:, None] + scaled_2[None, :]
        scaled = requantize(sums, self.output_multiplier, self.output_shift)
        outputs: Integers = np.clip(
            scaled + self.output_offset, self.activation_min, self.activation_max
        )
        return outputs

    @property
    def factors(self) -> tuple[float, float]:
        """Output steps of one step of input 1, and of input 2."""
        last = self.output_multiplier * 2.0 ** (self.output_shift - 31 + _HEADROOM)
        return (
            self.multiplier_1 * 2.0 ** (self.shift_1 - 31) * last,
            self.multiplier_2 * 2.0 ** (self.shift_2 - 31) * last,
        )


@dataclass(frozen=True)
class LinearSum:
    """The constants of the linear function."""

    factor_1: int
    factor_2: int
    offset: int
    shift: int


def linear_sum(arithmetic: SumArithmetic) -> LinearSum | None:
    """A linear function that equals the reference for all inputs, or None if none was found."""
    wanted = arithmetic.outputs()
    low, high = arithmetic.activation_min, arithmetic.activation_max
    if low >= high:
        return None
    values = np.arange(-128, 128, dtype=np.int64)
    for shift in _SHIFTS:
        factor_1, factor_2 = (round(factor * 2**shift) for factor in arithmetic.factors)
        if abs(factor_1) + abs(factor_2) >= 2**23:
            continue
        sums = values[:, None] * factor_1 + values[None, :] * factor_2
        # An offset must lift each sum to its output, and not to the next.
        least = np.where(wanted > low, (wanted << shift) - sums, -(2**40)).max()
        most = np.where(wanted < high, ((wanted + 1) << shift) - 1 - sums, 2**40).min()
        if least <= most:
            offset = int(np.clip(0, least, most))
            if np.abs(sums).max() + abs(offset) < 2**31:
                return LinearSum(factor_1, factor_2, offset, shift)
    return None
