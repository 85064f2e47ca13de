"""RELU, RELU6, LEAKY_RELU, HARD_SWISH, LOGISTIC and TANH against TensorFlow Lite Micro.

Every model has an operator for each case, and every operator sees all 256 input values.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import assert_bit_exact, compile_model, unsupported_reasons
from model_builder import ModelBuilder
from operator_strategies import Affine, many, model_of, scales, sweep, zero_points

KINDS = ["RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "LOGISTIC", "TANH"]
EVERY_BYTE = np.arange(-128, 128).astype(np.int8)


@dataclass(frozen=True)
class Activation:
    kind: str
    source: Affine
    target: Affine
    alpha: float


def neighbour(scale, steps):
    """The single-precision number so many steps above or below."""
    for _ in range(abs(steps)):
        scale = np.nextafter(np.float32(scale), np.float32(np.inf if steps > 0 else 0))
    return float(np.float32(scale))


@st.composite
def related_scales(draw, source):
    """Scales whose ratio to `source` is on or next to a simple fraction.

    Only near such ratios, where results lie halfway between two integers, does it show in which
    precision the ratio was computed.
    """
    ratio = draw(st.sampled_from([1, 2, 4, 0.5, 0.25, 0.4, 0.8, 1.6, 2 / 3, 4 / 3]))
    return neighbour(source * ratio, draw(st.integers(-2, 2)))


@st.composite
def activations(draw, kinds=tuple(KINDS)):
    kind = draw(st.sampled_from(kinds))
    # Beyond the largest a shift of 2**31 would be needed.
    source = draw(scales(1e-4, 10) | scales(1e-8, 1e6))
    smallest = source / 127 if kind == "HARD_SWISH" else source / 1e9
    target = draw(scales(max(smallest, 1e-8), 1e6) | related_scales(source))
    alpha = draw(st.sampled_from([0.0, 0.01, 0.5, 1.5, -0.5, -1.5]) | st.floats(-3, 3, width=32))
    return Activation(
        kind,
        Affine(source, draw(zero_points())),
        Affine(target, -128 if kind == "LOGISTIC" else draw(zero_points())),
        alpha if kind == "LEAKY_RELU" else 0.0,
    )


def add_activation(builder, case):
    source = builder.input("int8", (256,), **case.source.arguments())
    target = builder.tensor("int8", (256,), **case.target.arguments())
    options = {"alpha": case.alpha} if case.kind == "LEAKY_RELU" else {}
    return builder.operator(case.kind, [source], target, **options)


def assert_all_values_equal_the_reference(cases, **how):
    return assert_bit_exact(model_of(cases, add_activation), [EVERY_BYTE] * len(cases), **how)


@pytest.mark.parametrize("kind", KINDS)
def test_every_input_value_gives_the_reference_s_result(kind):
    @sweep(2)
    @given(many(activations([kind])))
    def test(cases):
        assert_all_values_equal_the_reference(cases)

    test()


def test_slopes_that_give_halves_equal_the_reference():
    # Here the last bit of the slope alpha * input scale / output scale decides the results.
    rng = np.random.default_rng(0)
    cases = []
    for alpha in (0.75, 1.5, 2.5, 5.0, 10.5, -0.5, -1.5, -2.5, -3.5):
        for ratio in (1, 1.5, 3, 5, 7, 12):
            sources = np.float32(rng.uniform(0.001, 0.5, 4))
            for source, target in zip(sources, sources * np.float32(ratio), strict=True):
                affines = Affine(float(source), 0), Affine(float(target), 0)
                cases.append(Activation("LEAKY_RELU", *affines, alpha))
    assert_all_values_equal_the_reference(cases)


def test_relu6_bounds_half_way_between_two_values_equal_the_reference():
    # Whether such a bound is rounded up depends on the precision in which 6 / scale is computed.
    cases = [
        Activation("RELU6", affine, affine, 0.0)
        for half in np.arange(20.5, 240)
        for affine in [Affine(neighbour(6 / half, steps), -128) for steps in (-1, 0, 1)]
    ]
    for start in range(0, len(cases), 250):
        assert_all_values_equal_the_reference(cases[start : start + 250])


def test_hard_swish_factors_half_way_between_two_values_equal_the_reference():
    # Ratios of scales whose 16-bit rounding depends on the precision in which they are computed.
    rng = np.random.default_rng(0)
    cases = []
    while len(cases) < 200:
        source = float(np.float32(rng.uniform(0.01, 0.1)))
        half = (rng.integers(2**14, 2**15) + 0.5) / 2**16
        target = neighbour(source / 128 / half, int(rng.integers(-2, 3)))
        double = source / 128 / target
        single = float(np.float32(source / 128) / np.float32(target))
        if round(double * 2**16) != round(single * 2**16):
            cases.append(Activation("HARD_SWISH", Affine(source, -128), Affine(target, -128), 0.0))
    assert_all_values_equal_the_reference(cases)


@sweep(1)
@given(many(activations()))
def test_activations_have_no_undefined_behaviour(cases):
    assert_all_values_equal_the_reference(cases, sanitize=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_quantizations_give_the_reference_s_results(kind):
    @sweep(100)
    @given(many(activations([kind])))
    def test(cases):
        assert_all_values_equal_the_reference(cases)

    test()


def one_activation(kind="RELU", dtype="int8", source=None, target=None, alpha=0.0):
    builder = ModelBuilder()
    usual = {"scale": 0.25, "zero_point": -3}
    tensor = builder.input(dtype, (4,), **(usual if source is None else source))
    options = {"alpha": alpha} if kind == "LEAKY_RELU" else {}
    result = builder.tensor(dtype, (4,), **(usual if target is None else target))
    return builder.build([builder.operator(kind, [tensor], result, **options)])


@pytest.mark.parametrize("kind", ["RELU", "RELU6"])
def test_an_activation_without_rescaling_is_a_clamp(kind):
    assert compile_model(one_activation(kind)).kernels == ("clamp_s8",)


@pytest.mark.parametrize("kind", ["RELU", "LEAKY_RELU", "TANH", "HARD_SWISH"])
def test_an_activation_with_rescaling_is_a_table(kind):
    model = one_activation(kind, target={"scale": 0.1, "zero_point": 5})
    assert compile_model(model).kernels == ("lookup_8bit",)


TINY = {"scale": 1e-12, "zero_point": 0}


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (one_activation(dtype="uint8"), "zero point -3", "quantize"),
        (one_activation("LOGISTIC", source={}), "no scale", "quantize the model again"),
        (one_activation("LOGISTIC"), "output zero point is -3 (needs -128", "quantize"),
        (one_activation("TANH", source=TINY), "2**-28", "quantize the model again"),
        (one_activation("RELU6", source=TINY), "too small to hold the value 6", "quantize"),
        (one_activation("HARD_SWISH", target=TINY), "1/128 of its input scale", "quantize"),
        (one_activation("RELU", target=TINY), "not below 2**31", "quantize"),
        (one_activation("LEAKY_RELU", alpha=1e20), "not below 2**31", "quantize"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
