"""Fixed-point arithmetic on arrays, bit for bit as TensorFlow Lite Micro computes it.

The passes prove with it that a rewrite is exact, and the compiler works out whatever depends on
nothing but an 8-bit value, so that the firmware needs a table only.  Arrays are int64 and hold
int32 values unless a docstring says otherwise.

Formats: Qm.n has m integer and n fractional bits.  Source: gemmlowp's fixed-point library.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]

_INT32_MAX = 2**31 - 1
_ONE_Q2 = 1 << 29

# exp(-2**k) as Q0.31, for k from -2 to 4.
_EXPONENTIALS_OF_POWERS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)


def wrap(values: NDArray[Any], bits: int = 32) -> Integers:
    """Integers modulo 2**bits, as a signed type of that size holds them."""
    half = 1 << (bits - 1)
    wrapped: Integers = (values.astype(np.int64) + half) % (2 * half) - half
    return wrapped


def high_mul(a: Integers, b: Integers | int, bits: int = 32) -> Integers:
    """round(a * b / 2**(bits - 1)), halves towards plus infinity, saturating -1 * -1."""
    product = np.asarray(a * b, np.int64)
    rounded: Integers = (product + (1 << (bits - 2))) >> (bits - 1)
    return np.minimum(rounded, (1 << (bits - 1)) - 1)


def rounding_shift_right(values: Integers, exponent: Integers | int, bits: int = 32) -> Integers:
    """round(values / 2**exponent), halves away from zero; exponent 0 to 31.

    `values` and the mask of the remainder are integers of `bits` bits: with 16, an exponent above
    15 gives 1 for values of 0 and more, -1 for others, as the reference does.
    """
    mask = wrap(np.array((1 << exponent) - 1), bits)
    threshold = (mask >> 1) + (values < 0)
    shifted: Integers = (values >> exponent) + ((values & mask) > threshold)
    return shifted


def saturating_shift_left(values: Integers, exponent: int, bits: int = 32) -> Integers:
    """Values times 2**exponent, saturating; exponent 0 to 31."""
    limit = 1 << (bits - 1)
    saturated: Integers = np.clip(values << exponent, -limit, limit - 1)
    return saturated


def requantize(values: Integers, multiplier: Integers | int, shift: Integers | int) -> Integers:
    """Values times multiplier * 2**(shift - 31), rounded twice: the kernels' tinyml_requantize.

    multiplier and shift: as `numerics.quantize_multiplier` returns them, or one of each for each
    channel, the last axis of `values`.
    """
    shifted = wrap(values << np.maximum(shift, 0))
    return rounding_shift_right(high_mul(shifted, multiplier), np.maximum(np.negative(shift), 0))


def exponential(values: Integers, integer_bits: int) -> Integers:
    """exp(values) as Q0.31 for values of 0 and less with 4 or 5 integer bits."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    within_quarter = (values & (quarter - 1)) - quarter
    result = _exponential_near_zero(saturating_shift_left(within_quarter, integer_bits))
    quarters = within_quarter - values
    for power, factor in _EXPONENTIALS_OF_POWERS:
        if power < integer_bits:
            taken = (quarters & (1 << (fraction_bits + power))) != 0
            result = np.where(taken, high_mul(result, factor), result)
    return np.where(values == 0, _INT32_MAX, result)


def _exponential_near_zero(values: Integers) -> Integers:
    """exp(values) for Q0.31 in [-1/4, 0): Taylor's series around -1/8 up to the fourth power."""
    exp_of_minus_eighth, third = 1895147668, 715827883
    x = values + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    x4 = high_mul(x2, x2)
    higher = high_mul(rounding_shift_right(x4, 2) + x3, third)
    series = x + rounding_shift_right(higher + x2, 1)
    return high_mul(series, exp_of_minus_eighth) + exp_of_minus_eighth


def _reciprocal_of_half(x: Integers) -> Integers:
    """2 / (1 + x) as Q2.29 for x of Q0.31 in [0, 1]: three steps of Newton's method."""
    half_denominator = (x + (1 << 31)) >> 1
    estimate = 1515870810 + high_mul(half_denominator, -1010580540)
    for _ in range(3):
        error = _ONE_Q2 - high_mul(half_denominator, estimate)
        estimate = estimate + saturating_shift_left(high_mul(estimate, error), 2)
    return estimate


def logistic(values: Integers) -> Integers:
    """Return 1 / (1 + exp(-values)) as Q0.31 for values of Q4.27."""
    magnitude = np.abs(values)
    positive = saturating_shift_left(_reciprocal_of_half(exponential(-magnitude, 4)), 1)
    result = np.where(values > 0, positive, _INT32_MAX - positive)
    return np.where(values == 0, 1 << 30, result)


def tanh(values: Integers) -> Integers:
    """Hyperbolic tangent as Q0.31 for values of Q4.27."""
    magnitude = np.abs(values)
    # exp(-2 * magnitude): the same bits read as Q5.26 are twice the value.
    reciprocal = _reciprocal_of_half(exponential(-magnitude, 5))
    positive = saturating_shift_left(reciprocal - _ONE_Q2, 2)
    return np.where(values == 0, 0, np.where(values < 0, -positive, positive))
