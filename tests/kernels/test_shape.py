"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same data as TensorFlow Lite Micro, without a copy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import compile_model, unsupported_reasons
from model_builder import ModelBuilder
from moved_tensors import add_input, add_output, assert_moves_like_the_reference, shapes
from operator_strategies import many, model_of, sweep

TYPES = ["int8", "int16", "float32"]


@st.composite
def changes_of_shape(draw):
    """Kind, type, shapes before and after, and the operator's parameter."""
    dtype = draw(st.sampled_from(TYPES))
    shape = draw(shapes(1, 5))
    kind = draw(st.sampled_from(["RESHAPE", "SQUEEZE", "EXPAND_DIMS"]))
    if kind == "RESHAPE":
        dtype = draw(st.sampled_from([*TYPES, "uint8", "int32", "int64", "bool"]))
        return kind, dtype, shape, draw(st.permutations(shape)), None
    axis = draw(st.integers(0, len(shape)))
    longer = (*shape[:axis], 1, *shape[axis:])
    stored = axis - len(longer) if draw(st.booleans()) else axis
    if kind == "EXPAND_DIMS":
        return kind, dtype, shape, longer, stored
    if draw(st.booleans()):
        return kind, dtype, longer, [length for length in longer if length != 1], None
    return kind, dtype, longer, shape, stored


def add_change(builder, case):
    kind, dtype, before, after, axis = case
    source = add_input(builder, dtype, before)
    target = add_output(builder, dtype, after)
    if kind == "RESHAPE":
        shape = builder.constant(after, "int32")
        return builder.operator(kind, [source, shape], target, new_shape=list(after))
    if kind == "EXPAND_DIMS":
        return builder.operator(kind, [source, builder.constant(axis, "int32")], target)
    axes = [] if axis is None else [axis]
    return builder.operator(kind, [source], target, squeeze_dims=axes)


@sweep(1)
@given(many(changes_of_shape()))
def test_a_change_of_shape_equals_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_change))


@sweep(1)
@given(many(changes_of_shape()))
def test_a_change_of_shape_calls_no_kernel(cases):
    plan = compile_model(model_of(cases, add_change))
    assert plan.kernels == ()


def change_of(kind, dtype="int8", constant=True, parameter="int32"):
    builder = ModelBuilder()
    source = builder.input(dtype, (2, 3))
    axis = builder.constant(0, parameter) if constant else builder.input("int32", ())
    target = builder.tensor(dtype, (1, 2, 3))
    return builder.build([builder.operator(kind, [source, axis], target)])


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (change_of("EXPAND_DIMS", "uint8"), "type uint8", "quantize the model to int8"),
        (change_of("EXPAND_DIMS", constant=False), "computed by the model", "constants"),
        (change_of("EXPAND_DIMS", parameter="int64"), "int64 (needs int32", "axis int32"),
        (change_of("RESHAPE", "float64"), "the model is float", "quantize the model to int8"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
