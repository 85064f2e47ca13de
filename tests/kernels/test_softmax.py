"""SOFTMAX: generated C against TensorFlow Lite Micro."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import (
    assert_bit_exact,
    assert_bit_exact_on_random_inputs,
    compile_model,
    run_generated,
    unsupported_reasons,
)
from model_builder import ModelBuilder
from moved_tensors import shapes
from operator_strategies import Affine, add_input, affines, many, model_of, scales, sweep

PROBABILITIES = {
    "int8": {"scale": 1 / 256, "zero_point": -128},
    "int16": {"scale": 1 / 65536, "zero_point": -32768},
}


@dataclass(frozen=True)
class Softmax:
    shape: tuple[int, ...]
    source: Affine
    beta: float
    output: str


@st.composite
def softmaxes(draw):
    return Softmax(
        draw(shapes(1, 6)),
        draw(affines() | affines(1e-6, 1e6)),
        draw(st.just(1.0) | scales(0.05, 50)),
        draw(st.sampled_from(["int8", "int8", "int16"])),
    )


def add_softmax(builder, case):
    source = add_input(builder, case.shape, case.source)
    target = builder.tensor(case.output, case.shape, **PROBABILITIES[case.output])
    return builder.operator("SOFTMAX", [source], target, beta=case.beta)


@sweep(3)
@given(many(softmaxes()))
def test_softmax_equals_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_softmax))


@sweep(1)
@given(many(softmaxes()))
def test_softmax_has_no_undefined_behaviour(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_softmax), sanitize=True)


@pytest.mark.slow
@sweep(100)
@given(many(softmaxes()))
def test_thousands_of_softmaxes_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_softmax))


@pytest.mark.parametrize("output", ["int8", "int16"])
def test_every_distance_from_the_largest_input_equals_the_reference(output):
    # Each row holds one value of each distance; the last column decides how they compare.
    rows = np.stack(
        [np.full(256, 127), np.arange(127, -129, -1), np.full(256, 126)], axis=1
    ).astype(np.int8)
    cases = [
        Softmax(rows.shape, Affine(float(np.float32(scale)), 0), 1.0, output)
        for scale in (1e-6, 0.003, 0.01, 0.0625, 0.1, 0.2, 0.37, 1.0, 9.0, 1e5)
    ]
    assert_bit_exact(model_of(cases, add_softmax), [rows] * len(cases))


@pytest.mark.parametrize(
    ("output", "depth"),
    [(output, depth) for output in PROBABILITIES for depth in (1, 2, 3, 255, 256, 511)]
    + [("int16", 4095), ("int16", 6000)],
)
def test_equal_inputs_share_equally_like_in_the_reference(output, depth):
    case = Softmax((2, depth), Affine(0.1, 0), 1.0, output)
    rows = np.full((2, depth), -5, np.int8)
    assert_bit_exact(model_of([case], add_softmax), [rows])


@pytest.mark.parametrize("output", ["int8", "int16"])
def test_rows_of_any_depth_equal_the_reference(output):
    # TFLM stops a program whose exponentials of a row add up to 512, so only 500 values vary.
    builder = ModelBuilder()
    affine = {"scale": 0.2, "zero_point": 0}
    varying = builder.input("int8", (1, 500), **affine)
    rest = builder.constant(np.full((1, 19500), -128), "int8", **affine)
    row = builder.tensor("int8", (1, 20000), **affine)
    builder.operator("CONCATENATION", [varying, rest], row, axis=1)
    target = builder.tensor(output, (1, 20000), **PROBABILITIES[output])
    model = builder.build([builder.operator("SOFTMAX", [row], target, beta=1.0)])
    random = np.random.default_rng(1).integers(-128, 128, (1, 500))
    for values in (np.zeros((1, 500)), np.full((1, 500), 127), random):
        assert_bit_exact(model, [values.astype(np.int8)])


@pytest.mark.parametrize("depth", [512, 5000, 9000])
def test_rows_that_stop_the_reference_give_zero_probabilities(depth):
    case = Softmax((1, depth), Affine(0.1, 0), 1.0, "int8")
    plan = compile_model(model_of([case], add_softmax))
    (((result,), _),) = run_generated(plan, [[np.zeros((1, depth), np.int8)]], sanitize=True)
    assert np.all(result == -128)


def softmax_of(dtype="int8", source=None, output="int8", target=None, beta=1.0):
    builder = ModelBuilder()
    usual = {"scale": 0.25, "zero_point": 0}
    tensor = builder.input(dtype, (1, 4), **(source or usual))
    result = builder.tensor(output, (1, 4), **(target or PROBABILITIES.get(output, {})))
    return builder.build([builder.operator("SOFTMAX", [tensor], result, beta=beta)])


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (softmax_of("uint8"), "input type uint8", "int8 instead of uint8"),
        (softmax_of(output="uint8", target={"scale": 1.0}), "output type uint8", "int8"),
        (softmax_of(target={"scale": 0.5, "zero_point": -128}), "scale 0.5", "quantize"),
        (softmax_of(target={"scale": 1 / 256}), "zero point 0 (needs", "quantize"),
        (softmax_of(source={"scale": 1e-9}), "not above 2**-26", "quantize"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons


def test_probabilities_are_those_of_the_mathematical_softmax():
    case = Softmax((1, 10), Affine(0.1, 0), 1.0, "int16")
    values = np.arange(-50, 50, 10).astype(np.int8).reshape(1, 10)
    (((result,), _),) = run_generated(compile_model(model_of([case], add_softmax)), [[values]])
    weights = [math.exp(0.1 * int(value)) for value in values[0]]
    expected = np.array(weights) / sum(weights)
    assert np.allclose((result[0] + 32768.0) / 65536, expected, atol=1e-4)
