"""FULLY_CONNECTED: generated C against TensorFlow Lite Micro."""

import math
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
from operator_strategies import (
    Affine,
    activations,
    add_input,
    affines,
    bias_values,
    fitting_scales,
    many,
    model_of,
    seeds,
    sums_around_rounding_edges,
    sweep,
    zero_points,
)


@dataclass(frozen=True)
class FullyConnected:
    """A layer whose input, weights and bias lie anywhere in their ranges."""

    input_shape: tuple[int, ...]
    input_c: int
    output_c: int
    keep_num_dims: bool
    source: Affine
    target: Affine
    weight_scales: tuple[float, ...]
    bias: str
    activation: str
    seed: int

    @property
    def output_shape(self) -> tuple[int, ...]:
        if self.keep_num_dims:
            return (*self.input_shape[:-1], self.output_c)
        return (math.prod(self.input_shape) // self.input_c, self.output_c)


@st.composite
def fully_connected_layers(draw, per_channel=(False, True)):
    input_c, output_c = draw(st.integers(1, 70)), draw(st.integers(1, 40))
    rows = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))
    input_shape = draw(st.sampled_from([(1, input_c), (input_c,), (*rows, input_c)]))
    source, target = draw(affines()), draw(affines(1e-3, 0.5))
    bias = draw(st.sampled_from(["usual", "usual", "absent", "missing", "limits"]))
    weight_scale = draw(fitting_scales(source, target, input_c, bias == "limits"))
    scale_count = output_c if draw(st.sampled_from(per_channel)) else 1
    spread = draw(st.lists(st.floats(0.3, 1), min_size=scale_count, max_size=scale_count))
    return FullyConnected(
        input_shape=input_shape,
        input_c=input_c,
        output_c=output_c,
        keep_num_dims=len(input_shape) > 1 and draw(st.booleans()),
        source=source,
        target=target,
        weight_scales=tuple(weight_scale * part for part in spread),
        bias=bias,
        activation=draw(activations()),
        seed=draw(seeds()),
    )


def add_fully_connected(
    builder: ModelBuilder, case: FullyConnected, weights_zero_point: int = 0
) -> int:
    rng = np.random.default_rng(case.seed)
    inputs = [
        add_input(builder, case.input_shape, case.source),
        builder.constant(
            rng.integers(-128, 128, (case.output_c, case.input_c)),
            "int8",
            scale=case.weight_scales,
            zero_point=weights_zero_point,
            axis=0,
        ),
    ]
    if case.bias == "missing":
        inputs.append(-1)
    elif case.bias != "absent":
        factor = case.source.scale * case.weight_scales[0] / case.target.scale
        values = bias_values(rng, case.output_c, factor, case.bias == "limits")
        scales = [case.source.scale * scale for scale in case.weight_scales]
        inputs.append(builder.constant(values, "int32", scale=scales, axis=0))
    return builder.operator(
        "FULLY_CONNECTED",
        inputs,
        builder.tensor("int8", case.output_shape, **case.target.arguments()),
        fused_activation_function=case.activation,
        keep_num_dims=case.keep_num_dims,
    )


@sweep(2)
@given(many(fully_connected_layers()))
def test_fully_connected_equals_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_fully_connected))


@sweep(1)
@given(many(fully_connected_layers()))
def test_fully_connected_has_no_undefined_behaviour(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_fully_connected), sanitize=True)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_sums_around_every_rounding_edge_equal_the_reference(seed, per_channel):
    rng = np.random.default_rng(seed)
    source, weights, target = (
        float(np.float32(rng.uniform(0.5, 1) * size)) for size in (1e-3, 1e-3, 60.0)
    )
    sums = sums_around_rounding_edges(source * weights / target)
    scales = [weights] * (sums.size if per_channel else 1)
    builder = ModelBuilder()
    inputs = [
        builder.input("int8", (1, 1), scale=source),
        builder.constant(np.zeros((sums.size, 1)), "int8", scale=scales, axis=0),
        builder.constant(sums, "int32", scale=[source * scale for scale in scales], axis=0),
    ]
    output = builder.tensor("int8", (1, sums.size), scale=target)
    builder.operator("FULLY_CONNECTED", inputs, output)
    assert_bit_exact(builder.build([output]), [np.zeros((1, 1), np.int8)])


@pytest.mark.parametrize("exponent", [0, 8, 16, 23, 24, 28, 30])
def test_a_factor_that_leaves_the_range_of_32_bits_wraps_as_in_the_reference(exponent):
    builder = ModelBuilder()
    source = builder.input("int8", (256, 1), scale=1.0)
    weights = builder.constant([[1], [-3], [127]], "int8", scale=2.0**exponent)
    output = builder.tensor("int8", (256, 3), scale=1.0)
    builder.operator("FULLY_CONNECTED", [source, weights], output)
    every_value = np.arange(-128, 128, dtype=np.int8).reshape(256, 1)
    assert_bit_exact(builder.build([output]), [every_value], sanitize=True)


@sweep(1)
@given(many(st.tuples(fully_connected_layers(per_channel=(False,)), zero_points())))
def test_weights_may_have_a_zero_point(cases):
    model = model_of(cases, lambda builder, case: add_fully_connected(builder, *case))
    assert_bit_exact_on_random_inputs(model)


@pytest.mark.slow
@sweep(100)
@given(many(fully_connected_layers()))
def test_thousands_of_fully_connected_layers_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_fully_connected))


def one_layer(
    input_dtype="int8", weights_dtype="int8", bias_dtype="int32", bias_scale=1e-4, **options
) -> bytes:
    """A layer of 4 inputs and 2 outputs with scales 0.01."""
    builder = ModelBuilder()
    quantized = {"scale": 0.01, "zero_point": 0}
    source = builder.input(input_dtype, (1, 4), **quantized)
    weights = builder.constant(np.ones((2, 4)), weights_dtype, **quantized)
    bias = builder.constant(np.ones(2), bias_dtype, scale=bias_scale)
    target = builder.tensor(input_dtype, (1, 2), **quantized)
    builder.operator("FULLY_CONNECTED", [source, weights, bias], target, **options)
    return builder.build([target])


def test_the_smallest_layer_is_supported():
    assert_bit_exact_on_random_inputs(one_layer())


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (one_layer(input_dtype="uint8"), "input type uint8", "int8 instead of uint8"),
        (one_layer(input_dtype="float32"), "the model is float", "quantize the model to int8"),
        (one_layer(weights_dtype="float32"), "weights type float32", "quantize the model to int8"),
        (one_layer(bias_dtype="int16"), "bias type int16", "quantize the model again"),
        (one_layer(bias_scale=0.01), "scale 0.01", "quantize the model again"),
        (
            one_layer(weights_format="SHUFFLED4x16INT8"),
            "shuffled weights",
            "convert the model again",
        ),
        (
            one_layer(fused_activation_function="TANH"),
            "fused activation TANH",
            "as a layer of its own",
        ),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
