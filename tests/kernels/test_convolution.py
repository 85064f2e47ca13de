"""CONV_2D and DEPTHWISE_CONV_2D: generated C against TensorFlow Lite Micro."""

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
)

# The reference crashes on a depthwise convolution whose bias is given as missing.
BIASES = {
    "CONV_2D": ["usual", "usual", "absent", "missing", "limits"],
    "DEPTHWISE_CONV_2D": ["usual", "usual", "absent", "limits"],
}


@dataclass(frozen=True)
class Convolution:
    """A convolution whose input, weights and bias lie anywhere in their ranges."""

    kind: str
    padding: str
    input_shape: tuple[int, int, int, int]
    window: tuple[int, int]
    channels: int
    """Of the output."""
    filter_channels: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    source: Affine
    target: Affine
    weight_scales: tuple[float, ...]
    bias: str
    activation: str
    seed: int
    weights: str = "int8"

    @property
    def bias_scales(self) -> tuple[float, ...]:
        return tuple(self.source.scale * scale for scale in self.weight_scales)

    @property
    def weights_shape(self) -> tuple[int, int, int, int]:
        if self.kind == "CONV_2D":
            return (self.channels, *self.window, self.filter_channels)
        return (1, *self.window, self.channels)

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        sizes = zip(self.input_shape[1:3], self.window, self.stride, self.dilation, strict=True)
        height, width = (
            -(-size // stride)
            if self.padding == "SAME"
            else (size - (window - 1) * dilation - 1) // stride + 1
            for size, window, stride, dilation in sizes
        )
        return (self.input_shape[0], height, width, self.channels)


@st.composite
def window_sizes(draw, size, dilation, padding):
    """A window of 1 to 5 taps, within the input where nothing is padded."""
    fitting = (size - 1) // dilation + 1
    return draw(st.integers(1, 5 if padding == "SAME" else min(5, fitting)))


@st.composite
def convolutions(draw, kind):
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    height, width = draw(st.integers(1, 17)), draw(st.integers(1, 17))
    dilation = (1, 1) if draw(st.booleans()) else (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    window = (
        draw(window_sizes(height, dilation[0], padding)),
        draw(window_sizes(width, dilation[1], padding)),
    )
    if kind == "CONV_2D":
        groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
        filter_channels = draw(st.integers(1, 17 // groups))
        input_c = groups * filter_channels
        channels = groups * draw(st.integers(1, 17 // groups))
    else:
        filter_channels = 1
        input_c = draw(st.integers(1, 17))
        channels = input_c * draw(st.sampled_from([1, 1, 2, 3, 8]))
    source, target = draw(affines()), draw(affines(1e-3, 0.5))
    bias = draw(st.sampled_from(BIASES[kind]))
    products = window[0] * window[1] * filter_channels
    weight_scale = draw(fitting_scales(source, target, products, bias == "limits"))
    scale_count = draw(st.sampled_from([1, channels]))
    spread = draw(st.lists(st.floats(0.3, 1), min_size=scale_count, max_size=scale_count))
    return Convolution(
        kind=kind,
        padding=padding,
        input_shape=(draw(st.sampled_from([1, 1, 1, 2])), height, width, input_c),
        window=window,
        channels=channels,
        filter_channels=filter_channels,
        stride=(draw(st.integers(1, 4)), draw(st.integers(1, 4))),
        dilation=dilation,
        source=source,
        target=target,
        weight_scales=tuple(weight_scale * part for part in spread),
        bias=bias,
        activation=draw(activations()),
        seed=draw(seeds()),
    )


def add_convolution(builder: ModelBuilder, case: Convolution) -> int:
    rng = np.random.default_rng(case.seed)
    source = add_input(builder, case.input_shape, case.source)
    axis = 0 if case.kind == "CONV_2D" else 3
    low, high = {"int8": (-127, 128), "int4": (-8, 8)}[case.weights]
    weights = builder.constant(
        rng.integers(low, high, case.weights_shape),
        case.weights,
        scale=case.weight_scales,
        axis=axis,
    )
    inputs = [source, weights]
    if case.bias == "missing":
        inputs.append(-1)
    elif case.bias != "absent":
        factor = case.source.scale * case.weight_scales[0] / case.target.scale
        values = bias_values(rng, case.channels, factor, case.bias == "limits")
        inputs.append(builder.constant(values, "int32", scale=case.bias_scales, axis=0))
    extra = (
        {} if case.kind == "CONV_2D" else {"depth_multiplier": case.channels // case.input_shape[3]}
    )
    return builder.operator(
        case.kind,
        inputs,
        builder.tensor("int8", case.output_shape, **case.target.arguments()),
        padding=case.padding,
        stride_h=case.stride[0],
        stride_w=case.stride[1],
        dilation_h_factor=case.dilation[0],
        dilation_w_factor=case.dilation[1],
        fused_activation_function=case.activation,
        **extra,
    )


@sweep(2)
@given(many(convolutions("CONV_2D")))
def test_conv_2d_equals_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution))


@sweep(2)
@given(many(convolutions("DEPTHWISE_CONV_2D")))
def test_depthwise_conv_2d_equals_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_sums_around_every_rounding_edge_equal_the_reference(kind, seed):
    rng = np.random.default_rng(seed)
    source, weights, target = (
        float(np.float32(rng.uniform(0.5, 1) * size)) for size in (1e-3, 1e-3, 60.0)
    )
    sums = sums_around_rounding_edges(source * weights / target)
    channels = sums.size
    shape, axis = {
        "CONV_2D": ((channels, 1, 1, 1), 0),
        "DEPTHWISE_CONV_2D": ((1, 1, 1, channels), 3),
    }[kind]
    builder = ModelBuilder()
    inputs = [
        builder.input("int8", (1, 1, 1, 1), scale=source),
        builder.constant(np.zeros(shape), "int8", scale=[weights] * channels, axis=axis),
        builder.constant(sums, "int32", scale=[source * weights] * channels, axis=0),
    ]
    output = builder.tensor("int8", (1, 1, 1, channels), scale=target)
    options = {"depth_multiplier": channels} if kind == "DEPTHWISE_CONV_2D" else {}
    builder.operator(kind, inputs, output, padding="VALID", stride_h=1, stride_w=1, **options)
    assert_bit_exact(builder.build([output]), [np.zeros((1, 1, 1, 1), np.int8)])


@sweep(1)
@given(many(convolutions("CONV_2D") | convolutions("DEPTHWISE_CONV_2D")))
def test_convolutions_have_no_undefined_behaviour(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), sanitize=True)


@pytest.mark.slow
@sweep(150)
@given(many(convolutions("CONV_2D") | convolutions("DEPTHWISE_CONV_2D")))
def test_thousands_of_convolutions_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution))


STORED_BITS = {"int4": 4, "int8": 8, "float32": 32}


def one_convolution(
    kind="CONV_2D",
    dtype="int8",
    weights_shape=(2, 3, 3, 4),
    weights_dtype="int8",
    weights_affine=None,
    bias=None,
    **options,
) -> bytes:
    """A convolution of 5x5x4 to 5x5 and as many channels as `weights_shape` has."""
    builder = ModelBuilder()
    channels = weights_shape[0 if kind == "CONV_2D" else 3]
    inputs = [
        builder.input(dtype, (1, 5, 5, 4), scale=0.1, zero_point=0),
        builder.tensor(
            weights_dtype,
            weights_shape,
            **(weights_affine or {"scale": 0.1}),
            data=bytes(math.prod(weights_shape) * STORED_BITS[weights_dtype] // 8),
        ),
    ]
    if bias:
        inputs.append(builder.constant(np.ones(channels), bias, scale=0.01))
    target = builder.tensor(dtype, (1, 5, 5, channels), scale=0.1, zero_point=0)
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1, **options}
    builder.operator(kind, inputs, target, **options)
    return builder.build([target])


@pytest.mark.parametrize(
    "model",
    [
        one_convolution(bias="int32"),
        one_convolution("DEPTHWISE_CONV_2D", weights_shape=(1, 3, 3, 8), depth_multiplier=2),
    ],
)
def test_the_smallest_convolutions_are_supported(model):
    assert_bit_exact_on_random_inputs(model)


def test_a_depthwise_bias_given_as_missing_counts_as_absent():
    # The reference crashes on such a model.
    def model(*bias):
        builder = ModelBuilder()
        source = builder.input("int8", (1, 4, 4, 3), scale=0.1, zero_point=7)
        weights = builder.constant(np.arange(12).reshape(1, 2, 2, 3), "int8", scale=0.1)
        target = builder.tensor("int8", (1, 4, 4, 3), scale=2.0, zero_point=-5)
        options = {"padding": "SAME", "stride_h": 1, "stride_w": 1, "depth_multiplier": 1}
        builder.operator("DEPTHWISE_CONV_2D", [source, weights, *bias], target, **options)
        return builder.build([target])

    image = [np.arange(48, dtype=np.int8).reshape(1, 4, 4, 3)]
    assert_bit_exact(model(), image)
    (((absent,), _),) = run_generated(compile_model(model()), [image])
    (((missing,), _),) = run_generated(compile_model(model(-1)), [image])
    assert np.array_equal(absent, missing)


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (one_convolution(dtype="uint8"), "input type uint8", "int8 instead of uint8"),
        (one_convolution(dtype="float32"), "the model is float", "quantize the model to int8"),
        (one_convolution(dtype="int16", weights_dtype="int4"), "int4 weights", "int8"),
        (one_convolution(weights_dtype="float32"), "weights type float32", "quantize the model"),
        (one_convolution(bias="int16"), "bias type int16", "quantize the model again"),
        (
            one_convolution(weights_affine={"scale": 0.1, "zero_point": 1}),
            "zero point 1",
            "quantize",
        ),
        (
            one_convolution(weights_affine={"scale": [0.1] * 4, "axis": 3}),
            "axis 3",
            "quantize the model again",
        ),
        (one_convolution(weights_shape=(2, 3, 3, 3)), "channels", "again"),
        (one_convolution(weights_shape=(3, 3, 3, 2)), "2 groups", "convert the model again"),
        (
            one_convolution("DEPTHWISE_CONV_2D", weights_shape=(1, 3, 3, 6), depth_multiplier=2),
            "channels",
            "again",
        ),
        (one_convolution(weights_affine={"scale": 1e30}), "not below 2**31", "quantize"),
        (
            one_convolution(fused_activation_function="TANH"),
            "fused activation TANH",
            "as a layer of its own",
        ),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
