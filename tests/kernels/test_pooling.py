"""AVERAGE_POOL_2D and MAX_POOL_2D: generated C against TensorFlow Lite Micro."""

from dataclasses import dataclass

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
from operator_strategies import Affine, activations, add_input, affines, many, model_of, sweep


@dataclass(frozen=True)
class Pooling:
    """A pooling layer; its output is quantized as its input."""

    kind: str
    padding: str
    input_shape: tuple[int, int, int, int]
    window: tuple[int, int]
    stride: tuple[int, int]
    quantization: Affine
    activation: str

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        sizes = zip(self.input_shape[1:3], self.window, self.stride, strict=True)
        height, width = (
            -(-size // stride) if self.padding == "SAME" else (size - window) // stride + 1
            for size, window, stride in sizes
        )
        return (self.input_shape[0], height, width, self.input_shape[3])


@st.composite
def poolings(draw):
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    shape = [draw(st.sampled_from([1, 1, 1, 2]))]
    shape += [draw(st.integers(1, 17)) for _ in range(3)]
    largest = [7, 7] if padding == "SAME" else shape[1:3]
    window = tuple(draw(st.integers(1, size)) for size in largest)
    quantization = draw(affines(1e-3, 1))
    return Pooling(
        kind=draw(st.sampled_from(["AVERAGE_POOL_2D", "MAX_POOL_2D"])),
        padding=padding,
        input_shape=tuple(shape),
        window=window,
        stride=(draw(st.integers(1, 5)), draw(st.integers(1, 5))),
        quantization=quantization,
        activation=draw(activations()),
    )


def add_pooling(builder: ModelBuilder, case: Pooling) -> int:
    return builder.operator(
        case.kind,
        [add_input(builder, case.input_shape, case.quantization)],
        builder.tensor("int8", case.output_shape, **case.quantization.arguments()),
        padding=case.padding,
        stride_h=case.stride[0],
        stride_w=case.stride[1],
        filter_height=case.window[0],
        filter_width=case.window[1],
        fused_activation_function=case.activation,
    )


@sweep(2)
@given(many(poolings()))
def test_pooling_equals_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_pooling))


@pytest.mark.parametrize("activation", ["RELU6", "RELU_N1_TO_1"])
def test_activation_bounds_half_way_between_two_values_equal_the_reference(activation):
    # There it counts that the reference divides in single precision.
    bound = 6 if activation == "RELU6" else 1
    cases = [
        Pooling(
            kind="MAX_POOL_2D",
            padding="VALID",
            input_shape=(1, 16, 16, 1),
            window=(1, 1),
            stride=(1, 1),
            quantization=Affine(float(np.float32(bound / (steps + 0.5))), 0),
            activation=activation,
        )
        for steps in range(100)
    ]
    model = model_of(cases, add_pooling)
    every_value = np.arange(-128, 128, dtype=np.int8).reshape(1, 16, 16, 1)
    assert_bit_exact(model, [every_value] * len(cases))


@sweep(1)
@given(many(poolings()))
def test_pooling_has_no_undefined_behaviour(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_pooling), sanitize=True)


@pytest.mark.slow
@sweep(100)
@given(many(poolings()))
def test_thousands_of_poolings_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_pooling))


def one_pooling(dtype="int8", output_scale=0.1) -> bytes:
    """A pooling of 4x4x3 to 2x2x3."""
    builder = ModelBuilder()
    source = builder.input(dtype, (1, 4, 4, 3), scale=0.1, zero_point=0)
    target = builder.tensor(dtype, (1, 2, 2, 3), scale=output_scale, zero_point=0)
    builder.operator(
        "MAX_POOL_2D",
        [source],
        target,
        padding="VALID",
        stride_h=2,
        stride_w=2,
        filter_height=2,
        filter_width=2,
    )
    return builder.build([target])


def test_the_smallest_pooling_is_supported():
    assert_bit_exact_on_random_inputs(one_pooling())


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (one_pooling(output_scale=0.2), "different quantizations", "quantize the model again"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
