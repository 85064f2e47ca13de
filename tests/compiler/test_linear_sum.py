"""ADD as a linear function: all 65,536 pairs, or not at all."""

import numpy as np
import pytest

from tinyml_tool.compiler.linear_sum import SumArithmetic, linear_sum
from tinyml_tool.compiler.numerics import quantize_multiplier


def arithmetic(scale_1, scale_2, scale, offset_1=0, offset_2=0, output=0, low=-128, high=127):
    twice = 2 * max(scale_1, scale_2)
    multiplier_1, shift_1 = quantize_multiplier(scale_1 / twice)
    multiplier_2, shift_2 = quantize_multiplier(scale_2 / twice)
    multiplier, shift = quantize_multiplier(twice / (2**20 * scale))
    return SumArithmetic(
        offset_1, offset_2, multiplier_1, multiplier_2, shift_1, shift_2,
        output, multiplier, shift, low, high,
    )  # fmt: skip


def outputs(found, low, high):
    values = np.arange(-128, 128, dtype=np.int64)
    sums = values[:, None] * found.factor_1 + values[None, :] * found.factor_2 + found.offset
    assert np.abs(sums).max() < 2**31
    return np.clip(sums >> found.shift, low, high)


@pytest.mark.parametrize("seed", range(20))
def test_a_linear_sum_equals_the_reference_for_all_pairs(seed):
    rng = np.random.default_rng(seed)
    scales = rng.uniform(0.01, 0.1, 3)
    offsets = rng.integers(-127, 129, 2)
    case = arithmetic(*scales, *map(int, offsets), int(rng.integers(-128, 128)))
    found = linear_sum(case)
    assert found is not None
    assert np.array_equal(outputs(found, -128, 127), case.outputs())


def test_ties_that_round_by_sign_are_refused():
    # Halves occur on both sides of zero: no one function rounds all of them away from it.
    assert linear_sum(arithmetic(0.5, 0.5, 1.0)) is None
