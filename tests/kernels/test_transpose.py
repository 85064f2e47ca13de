"""TRANSPOSE: generated C against TensorFlow Lite Micro."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import compile_model, unsupported_reasons
from model_builder import ModelBuilder
from moved_tensors import add_input, add_output, assert_moves_like_the_reference, shapes
from operator_strategies import many, model_of, sweep

TYPES = ["int8", "int16", "float32"]


@st.composite
def transposes(draw):
    shape = draw(shapes(1, 5))
    return draw(st.sampled_from(TYPES)), shape, draw(st.permutations(range(len(shape))))


def add_transpose(builder, case):
    dtype, shape, permutation = case
    source = add_input(builder, dtype, shape)
    axes = builder.constant(permutation, "int32")
    target = add_output(builder, dtype, [shape[axis] for axis in permutation])
    return builder.operator("TRANSPOSE", [source, axes], target)


@sweep(3)
@given(many(transposes()))
def test_transpose_equals_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_transpose))


def test_every_permutation_of_four_axes_equals_the_reference():
    orders = itertools.permutations(range(4))
    cases = [(dtype, (2, 3, 4, 5), order) for order in orders for dtype in TYPES]
    assert_moves_like_the_reference(model_of(cases, add_transpose))


@sweep(1)
@given(many(transposes()))
def test_transpose_has_no_undefined_behaviour(cases):
    assert_moves_like_the_reference(model_of(cases, add_transpose), sanitize=True)


@pytest.mark.slow
@sweep(60)
@given(many(transposes()))
def test_thousands_of_transposes_equal_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_transpose))


def test_axes_that_stay_together_are_copied_in_one_run():
    model = model_of([("int16", (2, 3, 4, 5), (1, 0, 2, 3))], add_transpose)
    params = dict(compile_model(model).layers[-1].call.params)
    assert params["run_bytes"] == 4 * 5 * 2
    assert params["counts"] == (1, 1, 1, 3, 2)


def transpose_of(dtype="int8", shape=(2, 3), constant=True, parameter="int32"):
    builder = ModelBuilder()
    source = builder.input(dtype, shape)
    order = tuple(reversed(range(len(shape))))
    axes = builder.constant(order, parameter) if constant else builder.input("int32", (len(order),))
    return builder.build(
        [builder.operator("TRANSPOSE", [source, axes], builder.tensor(dtype, shape[::-1]))]
    )


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (transpose_of("uint8"), "type uint8", "quantize the model to int8"),
        (transpose_of("int32"), "type int32", "quantize the model to int8"),
        (transpose_of(shape=(1, 2, 1, 2, 1, 2)), "6 dimensions", "reshape"),
        (transpose_of(constant=False), "computed by the model", "constants"),
        (transpose_of(parameter="int64"), "int64 (needs int32", "make the permutation int32"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
