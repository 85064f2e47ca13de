"""CONCATENATION: generated C against TensorFlow Lite Micro."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import unsupported_reasons
from model_builder import ModelBuilder
from moved_tensors import add_input, add_output, assert_moves_like_the_reference, shapes
from operator_strategies import model_of, sweep

TYPES = ["int8", "int8", "int16", "int32", "int64", "float32", "bool"]


@st.composite
def concatenations(draw):
    shape = draw(shapes(1, 6))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=10))
    return draw(st.sampled_from(TYPES)), shape, axis, lengths


def add_concatenation(builder, case):
    dtype, shape, axis, lengths = case

    def with_length(length):
        changed = list(shape)
        changed[axis] = length
        return changed

    sources = [add_input(builder, dtype, with_length(length)) for length in lengths]
    target = add_output(builder, dtype, with_length(sum(lengths)))
    return builder.operator(
        "CONCATENATION", sources, target, axis=axis, fused_activation_function="NONE"
    )


def several(cases):
    return st.lists(cases, min_size=20, max_size=20)


@sweep(3)
@given(several(concatenations()))
def test_concatenation_equals_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_concatenation))


@sweep(1)
@given(several(concatenations()))
def test_concatenation_has_no_undefined_behaviour(cases):
    assert_moves_like_the_reference(model_of(cases, add_concatenation), sanitize=True)


@pytest.mark.slow
@sweep(60)
@given(several(concatenations()))
def test_a_thousand_concatenations_equal_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_concatenation))


def test_one_tensor_can_be_joined_with_itself_and_with_a_constant():
    builder = ModelBuilder()
    affine = {"scale": 0.25, "zero_point": -7}
    source = builder.input("int8", (1, 3), **affine)
    constant = builder.constant([[1, 2]], "int8", **affine)
    target = builder.tensor("int8", (1, 8), **affine)
    builder.operator("CONCATENATION", [source, constant, source], target, axis=1)
    assert_moves_like_the_reference(builder.build([target]))


def concatenation_of(dtype="int8", count=2, other=None, activation="NONE"):
    builder = ModelBuilder()
    affine = {"scale": 0.5, "zero_point": 3}
    sources = [builder.input(dtype, (1, 2), **affine) for _ in range(count - 1)]
    sources.append(builder.input(dtype, (1, 2), **(other or affine)))
    target = builder.tensor(dtype, (1, 2 * count), **affine)
    builder.operator("CONCATENATION", sources, target, axis=1, fused_activation_function=activation)
    return builder.build([target])


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (concatenation_of("uint8"), "type uint8", "quantize the model to int8"),
        (concatenation_of("int16"), "zero point 3 (int16 needs 0)", "quantize"),
        (concatenation_of(count=11), "11 inputs", "two steps"),
        (concatenation_of(activation="RELU"), "activation RELU", "layer of its own"),
        (concatenation_of(other={"scale": 0.25, "zero_point": 3}), "scale 0.25", "again"),
        (concatenation_of(other={"scale": 0.5, "zero_point": 4}), "zero point 4", "again"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
