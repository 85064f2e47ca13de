"""MEAN: generated C against TensorFlow Lite Micro."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import (
    assert_bit_exact,
    assert_bit_exact_on_random_inputs,
    unsupported_reasons,
)
from model_builder import ModelBuilder
from operator_strategies import (
    Affine,
    add_input,
    affines,
    many,
    model_of,
    scales,
    sweep,
    zero_points,
)


@dataclass(frozen=True)
class Mean:
    """A mean over `axes`, which may be negative or named twice."""

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    keep_dims: bool
    source: Affine
    target: Affine
    dtype: str = "int8"

    @property
    def output_shape(self) -> tuple[int, ...]:
        axes = tuple({axis % len(self.shape) for axis in self.axes})
        return np.zeros(self.shape).mean(axis=axes, keepdims=self.keep_dims).shape


@st.composite
def means(draw):
    rank = draw(st.integers(1, 6))
    source = draw(affines(1e-3, 1))
    return Mean(
        shape=tuple(draw(st.integers(1, 17 if rank < 4 else 5)) for _ in range(rank)),
        axes=tuple(draw(st.lists(st.integers(-rank, rank - 1), min_size=1, max_size=rank))),
        keep_dims=draw(st.booleans()),
        source=source,
        target=Affine(source.scale * draw(scales(2.0**-10, 4)), draw(zero_points())),
    )


def add_mean(builder: ModelBuilder, case: Mean) -> int:
    if case.dtype == "int8":
        source = add_input(builder, case.shape, case.source)
    else:
        source = builder.input(case.dtype, case.shape, **case.source.arguments())
    target = builder.tensor(case.dtype, case.output_shape, **case.target.arguments())
    axes = builder.constant(case.axes, "int32")
    return builder.operator("MEAN", [source, axes], target, keep_dims=case.keep_dims)


@sweep(2)
@given(many(means()))
def test_mean_equals_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_mean))


@st.composite
def int16_means(draw):
    """The same on int16, with batch 1 and without zero points."""
    case = draw(means())
    axes = tuple(axis + (axis >= 0) for axis in case.axes)
    return replace(
        case,
        shape=(1, *case.shape[: 5 if len(case.shape) > 5 else None]),
        axes=axes if len(case.shape) < 6 else (1,),
        source=Affine(case.source.scale, 0),
        target=Affine(case.target.scale, 0),
        dtype="int16",
    )


@sweep(2)
@given(many(int16_means()))
def test_mean_of_int16_equals_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_mean))


@sweep(1)
@given(many(int16_means()))
def test_mean_of_int16_has_no_undefined_behaviour(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_mean), sanitize=True)


@sweep(1)
@given(many(means()))
def test_mean_has_no_undefined_behaviour(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_mean), sanitize=True)


@pytest.mark.slow
@sweep(100)
@given(many(means()))
def test_thousands_of_means_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_mean))


def test_factors_whose_last_bit_counts_equal_the_reference():
    rng = np.random.default_rng(0)
    source, target = np.float32(rng.uniform(0.5, 1, (2, 4_000_000)))
    values = rng.integers(1, 256, source.size)
    exact = source.astype(float) / target
    on_the_edge = np.rint(values * exact) != np.rint(values * (source / target).astype(float))
    pairs = zip(source[on_the_edge], target[on_the_edge], strict=True)
    # An axis of length 1: every mean is one value, rescaled.
    cases = [
        Mean((1, 256, 1), (2,), False, Affine(float(one), -128), Affine(float(other), -128))
        for one, other in pairs
    ]
    assert cases
    every_value = np.arange(-128, 128, dtype=np.int8).reshape(1, 256, 1)
    assert_bit_exact(model_of(cases, add_mean), [every_value] * len(cases))


@pytest.mark.parametrize("output_scale", [2.0**10, 2.0**31, 2.0**33])
def test_a_mean_whose_factor_is_tiny_equals_the_reference(output_scale):
    # The division by the count then no longer fits into the shift.
    case = Mean((1, 16, 16, 2), (1, 2), True, Affine(1.0, -128), Affine(output_scale, 5))
    assert_bit_exact_on_random_inputs(model_of([case], add_mean))


def one_mean(dtype="int8", axes_dtype="int32", constant_axes=True) -> bytes:
    """A mean over the second axis of a 1x4x3 tensor."""
    builder = ModelBuilder()
    source = builder.input(dtype, (1, 4, 3), scale=0.1, zero_point=0)
    target = builder.tensor(dtype, (1, 3), scale=0.1, zero_point=0)
    axis = builder.constant([1], axes_dtype) if constant_axes else builder.input(axes_dtype, (1,))
    builder.operator("MEAN", [source, axis], target)
    return builder.build([target])


def test_the_smallest_mean_is_supported():
    assert_bit_exact_on_random_inputs(one_mean())


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (one_mean(dtype="uint8"), "input type uint8", "int8 instead of uint8"),
        (one_mean(axes_dtype="int64"), "axes of type int64", "convert the model again"),
        (one_mean(constant_axes=False), "axes are computed by the model", "--engine tflm"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
