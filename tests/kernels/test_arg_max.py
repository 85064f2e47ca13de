"""ARG_MAX: generated C against TensorFlow Lite Micro."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import assert_bit_exact, unsupported_reasons
from model_builder import ModelBuilder
from moved_tensors import add_input, assert_moves_like_the_reference, shapes
from operator_strategies import many, model_of, sweep


@st.composite
def arg_maxes(draw):
    shape = draw(shapes(1, 6))
    return shape, draw(st.integers(-len(shape), len(shape) - 1))


def add_arg_max(builder, case):
    shape, axis = case
    kept = list(shape)
    del kept[axis]
    inputs = [add_input(builder, "int8", shape), builder.constant(axis, "int32")]
    return builder.operator("ARG_MAX", inputs, builder.tensor("int32", kept))


@sweep(2)
@given(many(arg_maxes()))
def test_arg_max_equals_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_arg_max))


@sweep(1)
@given(many(arg_maxes()))
def test_arg_max_has_no_undefined_behaviour(cases):
    assert_moves_like_the_reference(model_of(cases, add_arg_max), sanitize=True)


@pytest.mark.parametrize("axis", [0, 1])
def test_of_equal_values_the_first_counts(axis):
    rows = np.array([[-128, -128, -128], [5, 127, 127], [127, 127, 5], [-3, -3, -128]], np.int8)
    assert_bit_exact(model_of([((4, 3), axis)], add_arg_max), [rows], [np.zeros_like(rows)])


def arg_max_of(dtype="int8", output="int32", parameter="int32", constant=True):
    builder = ModelBuilder()
    source = builder.input(dtype, (1, 4))
    axis = builder.constant(1, parameter) if constant else builder.input("int32", ())
    return builder.build(
        [builder.operator("ARG_MAX", [source, axis], builder.tensor(output, (1,)))]
    )


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (arg_max_of("uint8"), "input type uint8", "int8 instead of uint8"),
        (arg_max_of(output="int64"), "output type int64", "output_type=tf.int32"),
        (arg_max_of(parameter="int64"), "int64 (needs int32", "make the axis int32"),
        (arg_max_of(constant=False), "computed by the model", "constants"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
