"""Fixed-point parameters."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tinyml_tool.compiler.numerics import (
    activation_range,
    calculate_input_radius,
    quantize_multiplier,
    round_half_away,
)
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import Activation
from tinyml_tool.graph.types import DType, Quantization

AFFINE = Quantization((0.1,), (-3,))


@settings(derandomize=True, database=None)
@given(st.floats(2.0**-31, 2.0**30))
@example(1.0)
@example(0.5)
@example(1.0 - 2.0**-33)
def test_a_multiplier_is_normalised_and_as_near_as_31_bits_allow(real):
    multiplier, shift = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert math.isclose(multiplier * 2.0 ** (shift - 31), real, rel_tol=2.0**-31)


@settings(derandomize=True, database=None)
@given(st.floats(2.0**-31, 2.0**30))
def test_a_negative_factor_mirrors_the_positive_one(real):
    multiplier, shift = quantize_multiplier(real)
    assert quantize_multiplier(-real)[0] * 2.0 ** quantize_multiplier(-real)[1] == (
        -multiplier * 2.0**shift
    )


@pytest.mark.parametrize("real", [0.0, 2.0**-33, -(2.0**-40), 5e-324])
def test_factors_below_every_shift_are_flushed_to_zero(real):
    assert quantize_multiplier(real) == (0, 0)


def test_a_fraction_that_rounds_up_to_one_moves_to_the_next_power_of_two():
    assert quantize_multiplier(1.0 - 2.0**-40) == (2**30, 1)


@pytest.mark.parametrize("real", [2.0**31, 1e30, math.inf, -math.inf, math.nan])
def test_factors_beyond_every_shift_are_refused(real):
    with pytest.raises(UnsupportedOperatorError, match="not below 2\\*\\*31"):
        quantize_multiplier(real)


@pytest.mark.parametrize(
    ("value", "rounded"), [(0.5, 1), (-0.5, -1), (2.5, 3), (-2.5, -3), (0.49, 0), (-7.0, -7)]
)
def test_halves_are_rounded_away_from_zero(value, rounded):
    assert round_half_away(value) == rounded


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (Activation.NONE, (-128, 127)),
        (Activation.RELU, (-3, 127)),
        (Activation.RELU6, (-3, 57)),
        (Activation.RELU_N1_TO_1, (-13, 7)),
    ],
)
def test_an_activation_becomes_a_range_of_quantized_values(activation, expected):
    assert activation_range(activation, DType.INT8, AFFINE) == expected


def test_the_range_of_an_activation_stays_inside_the_type():
    assert activation_range(Activation.RELU6, DType.INT8, Quantization((0.01,), (0,))) == (0, 127)


@pytest.mark.parametrize("activation", [Activation.TANH, Activation.SIGN_BIT])
def test_an_activation_without_quantized_form_is_refused(activation):
    with pytest.raises(UnsupportedOperatorError, match=activation.name):
        activation_range(activation, DType.INT8, AFFINE)


def test_a_scale_too_small_for_the_activation_is_refused():
    with pytest.raises(UnsupportedOperatorError, match="too small"):
        activation_range(Activation.RELU6, DType.INT8, Quantization((1e-12,), (0,)))


def test_the_input_radius_of_softmax_is_known():
    # 31 * 2**26 / 2**left_shift, rounded down.
    assert calculate_input_radius(5, 20) == 1984
    assert calculate_input_radius(5, 26) == 31
    assert calculate_input_radius(4, 27) == 15
