"""PAD and PADV2: generated C against TensorFlow Lite Micro."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import assert_bit_exact, unsupported_reasons
from model_builder import ModelBuilder
from moved_tensors import (
    add_input,
    assert_moves_like_the_reference,
    quantization,
    shapes,
)
from operator_strategies import affines, many, model_of, sweep

TYPES = ["int8", "int8", "int16", "int32", "float32"]


@st.composite
def paddings(draw):
    dtype = draw(st.sampled_from(TYPES))
    shape = draw(shapes(1, 5, most=400))
    margins = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 3)) | st.just((0, 0)),
            min_size=len(shape),
            max_size=len(shape),
        )
    )
    bits = draw(st.none() | st.sampled_from([0, -1, 2**31 - 1]) | st.integers(-(2**31), 2**31 - 1))
    return dtype, shape, margins, bits, draw(affines())


def add_pad(builder, case):
    dtype, shape, margins, bits, affine = case
    affine = affine.arguments() if dtype == "int8" else quantization(dtype)
    source = add_input(builder, dtype, shape, **affine)
    inputs = [source, builder.constant(margins, "int32")]
    if bits is not None:
        value = np.array([bits], np.int32).view(dtype)[:1]
        # The graph's checks refuse constants that are not finite.
        value = np.where(np.isfinite(value), value, 0).astype(dtype)
        inputs.append(builder.constant(value, **affine))
    padded = [
        before + length + after for length, (before, after) in zip(shape, margins, strict=True)
    ]
    target = builder.tensor(dtype, padded, **affine)
    return builder.operator("PAD" if bits is None else "PADV2", inputs, target)


@sweep(2)
@given(many(paddings()))
def test_pad_equals_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_pad))


@sweep(1)
@given(many(paddings()))
def test_pad_has_no_undefined_behaviour(cases):
    assert_moves_like_the_reference(model_of(cases, add_pad), sanitize=True)


@pytest.mark.slow
@sweep(60)
@given(many(paddings()))
def test_thousands_of_pads_equal_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_pad))


def pad_of(  # one model, spoilt in one place
    dtype="int8",
    rank=2,
    constant=True,
    parameter="int32",
    value=None,
    value_affine=None,
    value_is_input=False,
):
    builder = ModelBuilder()
    affine = {"scale": 0.5, "zero_point": 3}
    source = builder.input(dtype, (2,) * rank, **affine)
    margins = np.ones((rank, 2), np.int64)
    shape = (rank, 2)
    inputs = [
        source,
        builder.constant(margins, parameter) if constant else builder.input("int32", shape),
    ]
    if value is not None:
        inputs.append(builder.constant(value, **(value_affine or affine)))
    if value_is_input:
        inputs.append(builder.input("int8", (1,), **affine))
    target = builder.tensor(dtype, (4,) * rank, **affine)
    return builder.build([builder.operator("PAD" if len(inputs) == 2 else "PADV2", inputs, target)])


def test_without_a_value_int8_is_padded_with_the_zero_point():
    values = [np.full((2, 2), 9, np.int8)]
    assert_bit_exact(pad_of(), values)


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (pad_of("uint8"), "type uint8", "quantize the model to int8"),
        (pad_of(rank=6), "6 dimensions", "reshape"),
        (pad_of(constant=False), "computed by the model", "constants"),
        (pad_of(parameter="int64"), "int64 (needs int32", "make the paddings int32"),
        (pad_of(value_is_input=True), "computed by the model", "constants"),
        (pad_of(value=np.array([1], np.int16)), "int16", "convert the model again"),
        (pad_of(value=np.array([1, 2], np.int8)), "of 2 elements", "convert the model again"),
        (
            pad_of(value=np.array([1], np.int8), value_affine={"scale": 0.25, "zero_point": 3}),
            "quantized in another way",
            "quantize the model again",
        ),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
