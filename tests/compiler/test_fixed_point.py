"""Fixed-point functions against exact arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_tool.compiler import fixed_point
from tinyml_tool.graph.numerics import quantize_multiplier

INT32 = st.integers(-(2**31), 2**31 - 1)
LARGEST = 2**31 - 1


def of(value):
    return np.array([value], np.int64)


@given(INT32, INT32)
def test_high_mul_rounds_halves_up_and_saturates(a, b):
    exact = math.floor(Fraction(a * b, 2**31) + Fraction(1, 2))
    assert fixed_point.high_mul(of(a), of(b))[0] == min(exact, LARGEST)


@given(INT32, st.integers(0, 31))
def test_a_rounding_shift_rounds_halves_away_from_zero(value, exponent):
    exact = math.floor(Fraction(abs(value), 2**exponent) + Fraction(1, 2))
    expected = exact if value >= 0 else -exact
    assert fixed_point.rounding_shift_right(of(value), exponent)[0] == expected


@pytest.mark.parametrize(("value", "expected"), [(9, 1), (0, 1), (-1, -1), (-32768, -1)])
def test_16_bits_shifted_by_more_than_they_have_leave_what_the_reference_leaves(value, expected):
    assert fixed_point.rounding_shift_right(of(value), 20, 16)[0] == expected


@given(INT32, st.integers(0, 31))
def test_a_saturating_shift_stays_within_32_bits(value, exponent):
    expected = min(max(value << exponent, -(2**31)), LARGEST)
    assert fixed_point.saturating_shift_left(of(value), exponent)[0] == expected


@given(st.lists(st.tuples(INT32, st.floats(1e-9, 1e9)), min_size=1, max_size=5))
def test_channels_are_requantized_each_by_its_own_factor(channels):
    values = np.array([[value, -value // 2] for value, _ in channels], np.int64).T
    pairs = [quantize_multiplier(factor) for _, factor in channels]
    together = fixed_point.requantize(values, *np.array(pairs, np.int64).T)
    each = [fixed_point.requantize(values[:, i], *pair) for i, pair in enumerate(pairs)]
    assert np.array_equal(together, np.stack(each, axis=-1))


@given(st.integers(-(2**40), 2**40))
def test_wrapping_is_what_a_cast_to_int32_does(value):
    assert fixed_point.wrap(of(value))[0] == of(value).astype(np.int32)[0]


@pytest.mark.parametrize("integer_bits", [4, 5])
def test_exponentials_are_near_the_true_ones(integer_bits):
    fraction_bits = 31 - integer_bits
    values = -np.arange(0, 15 << fraction_bits, 99991, np.int64)
    results = fixed_point.exponential(values, integer_bits) / 2**31
    assert np.allclose(results, np.exp(values / 2**fraction_bits), rtol=4e-7, atol=2**-30)


@pytest.mark.parametrize("power", range(-2, 5))
def test_factors_of_the_exponential_are_exact_to_the_last_bit(power):
    # At -1/4 more than a power of two the series gives exp(-1/4) and one factor is applied to it.
    base, both = (of(-step) for step in (1, (1 << (26 + power)) + 1))
    factor = Fraction(int(fixed_point.exponential(both, 5)[0]))
    factor /= int(fixed_point.exponential(base, 5)[0])
    assert round(factor * 2**31) == round(math.exp(-(2.0**power)) * 2**31)


def test_logistic_and_tanh_are_near_the_true_ones():
    values = np.arange(-(15 << 27), 15 << 27, 999983, np.int64)
    real = values / 2**27
    assert np.allclose(fixed_point.logistic(values) / 2**31, 1 / (1 + np.exp(-real)), atol=2e-7)
    assert np.allclose(fixed_point.tanh(values) / 2**31, np.tanh(real), atol=4e-7)


def test_logistic_and_tanh_of_zero_are_exact():
    assert fixed_point.logistic(of(0))[0] == 2**30
    assert fixed_point.tanh(of(0))[0] == 0
