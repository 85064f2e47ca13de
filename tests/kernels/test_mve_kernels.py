"""The kernels for vector instructions, on this computer, against TensorFlow Lite Micro.

The very C of the target runs here: its intrinsics are emulated by `mve_emulated.h`.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import assert_bit_exact, assert_bit_exact_on_random_inputs, compile_model
from model_builder import ModelBuilder
from operator_strategies import many, model_of, sums_around_rounding_edges, sweep
from test_convolution import add_convolution, convolutions
from test_dsp_kernels import usual_relu
from test_fully_connected import add_fully_connected, fully_connected_layers

from tinyml_tool.boards import Core
from tinyml_tool.compiler.lowering.mve_depthwise import taps_together
from tinyml_tool.compiler.lowering.mve_requantization import blocks_of

M55 = Core(name="cortex-m55", fpu="double", dsp=True, mve=True)


@st.composite
def wide_depthwise(draw):
    """Depthwise convolutions with one output a channel, up to 40 channels."""
    case = draw(convolutions("DEPTHWISE_CONV_2D"))
    channels = draw(st.integers(2, 40))
    scale = case.weight_scales[0]
    case = replace(
        case,
        input_shape=(*case.input_shape[:3], channels),
        channels=channels,
        weight_scales=tuple(scale * draw(st.floats(0.5, 1)) for _ in range(channels)),
    )
    return usual_relu(case) if draw(st.booleans()) else case


@st.composite
def wide_convolutions(draw):
    """Convolutions without groups, up to 40 input and output channels, every third one 1x1."""
    case = draw(convolutions("CONV_2D"))
    inputs, outputs = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    scale = case.weight_scales[0]
    case = replace(
        case,
        input_shape=(*case.input_shape[:3], inputs),
        filter_channels=inputs,
        channels=outputs,
        weight_scales=tuple(scale * draw(st.floats(0.5, 1)) for _ in range(outputs)),
    )
    if draw(st.integers(0, 2)) == 0:
        case = replace(case, window=(1, 1), stride=(1, 1))
    return usual_relu(case) if draw(st.booleans()) else case


def calls_of(model, optimize="balanced"):
    return [layer.call for layer in compile_model(model, M55, optimize).layers if layer.call]


def kernels_of(model):
    return [call.kernel for call in calls_of(model)]


@sweep(2)
@given(many(wide_convolutions()))
def test_convolutions_equal_the_reference(cases):
    model = model_of(cases, add_convolution)
    assert set(kernels_of(model)) <= {"conv_2d_s8_mve", "pointwise_conv_2d_s8_mve"}
    assert_bit_exact_on_random_inputs(model, core=M55)


@sweep(2)
@given(many(wide_depthwise()))
def test_depthwise_convolutions_equal_the_reference(cases):
    model = model_of(cases, add_convolution)
    assert set(kernels_of(model)) == {"depthwise_conv_2d_s8_mve"}
    assert_bit_exact_on_random_inputs(model, core=M55)


@sweep(1)
@given(many(convolutions("CONV_2D") | convolutions("DEPTHWISE_CONV_2D")))
def test_convolutions_of_any_kind_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), core=M55)


@sweep(1)
@given(many(fully_connected_layers()))
def test_fully_connected_layers_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_fully_connected), core=M55)


@sweep(1)
@given(many(wide_convolutions() | wide_depthwise()))
def test_convolutions_have_no_undefined_behaviour_and_touch_nothing_outside(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), sanitize=True, core=M55)


@sweep(1)
@given(many(fully_connected_layers()))
def test_fully_connected_layers_have_no_undefined_behaviour(cases):
    model = model_of(cases, add_fully_connected)
    assert_bit_exact_on_random_inputs(model, sanitize=True, core=M55)


@pytest.mark.slow
@sweep(250)
@given(many(wide_convolutions() | wide_depthwise()))
def test_thousands_of_convolutions_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), core=M55)


@pytest.mark.slow
@sweep(60)
@given(many(fully_connected_layers()))
def test_thousands_of_fully_connected_layers_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_fully_connected), core=M55)


@pytest.mark.parametrize("kernel", ["pointwise_conv_2d_s8_mve", "depthwise_conv_2d_s8_mve"])
@pytest.mark.parametrize(
    ("target_scale", "zero_point"), [(60.0, 3), (1e-3, -128), (0.9e-6, 3), (1e-7, -128), (1e-8, 3)]
)
def test_sums_around_every_rounding_edge_equal_the_reference(kernel, target_scale, zero_point):
    """Factors below 1, around 1, where shifts go both ways, and above: all three roundings."""
    rng = np.random.default_rng(0)
    source, weights = (float(np.float32(rng.uniform(0.5, 1) * 1e-3)) for _ in range(2))
    around = sums_around_rounding_edges(source * weights / target_scale).reshape(256, -1)
    sums = around[:, around.shape[1] // 2 - 6 :][:, :13].reshape(-1)
    outputs = sums.size
    shape, axis, image = {
        "pointwise_conv_2d_s8_mve": ((outputs, 1, 1, 1), 0, 1),
        "depthwise_conv_2d_s8_mve": ((1, 1, 1, outputs), 3, outputs),
    }[kernel]
    builder = ModelBuilder()
    inputs = [
        builder.input("int8", (1, 1, 1, image), scale=source),
        builder.constant(np.zeros(shape), "int8", scale=[weights] * outputs, axis=axis),
        builder.constant(sums, "int32", scale=[source * weights] * outputs, axis=0),
    ]
    target = builder.tensor("int8", (1, 1, 1, outputs), scale=target_scale, zero_point=zero_point)
    kind = "DEPTHWISE_CONV_2D" if axis == 3 else "CONV_2D"
    options = {"depth_multiplier": 1} if axis == 3 else {}
    builder.operator(kind, inputs, target, padding="VALID", stride_h=1, stride_w=1, **options)
    model = builder.build([target])
    assert kernels_of(model) == [kernel]
    assert_bit_exact(model, [np.zeros((1, 1, 1, image), np.int8)], core=M55)


def depthwise(channels, width=9):
    builder = ModelBuilder()
    rng = np.random.default_rng(channels)
    source = builder.input("int8", (1, 5, width, channels), scale=0.5, zero_point=-128)
    values = rng.integers(-127, 128, (1, 3, 3, channels))
    weights = builder.constant(values, "int8", scale=[0.01] * channels, axis=3)
    target = builder.tensor("int8", (1, 5, width, channels), scale=0.5, zero_point=-128)
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1, "depth_multiplier": 1}
    builder.operator("DEPTHWISE_CONV_2D", [source, weights], target, **options)
    return builder.build([target])


@pytest.mark.parametrize(
    ("channels", "optimize", "segments"),
    [(8, "size", 1), (16, "size", 1), (5, "size", 9), (5, "balanced", 1), (37, "balanced", 9)],
)
def test_vectors_run_over_pixels_where_the_table_stays_small(channels, optimize, segments):
    (call,) = calls_of(depthwise(channels), optimize)
    assert dict(call.params)["segments"] == segments
    assert_bit_exact_on_random_inputs(depthwise(channels), core=M55, optimize=optimize)


def test_as_many_taps_are_added_in_16_bits_as_fit_whatever_the_input():
    assert taps_together(np.array([[127, 127, 127, 127]], np.int8)) == 2
    assert taps_together(np.array([[-128, -128]], np.int8)) == 1
    assert taps_together(np.array([[85, 85, 85], [1, 2, 3]], np.int8)) == 3
    assert taps_together(np.array([[100, -100, 100, -100, 55]], np.int8)) == 2


def test_constants_repeat_with_the_channels():
    assert blocks_of(32, 960) == 2
    assert blocks_of(24, 960) == 3
    assert blocks_of(5, 960) == 5
    assert blocks_of(5, 20) == 2


def test_a_convolution_with_groups_takes_another_kernel():
    builder = ModelBuilder()
    source = builder.input("int8", (1, 4, 4, 4), scale=0.5, zero_point=0)
    weights = builder.constant(np.ones((4, 1, 1, 2)), "int8", scale=0.01)
    target = builder.tensor("int8", (1, 4, 4, 4), scale=0.5, zero_point=0)
    builder.operator("CONV_2D", [source, weights], target, padding="VALID", stride_h=1, stride_w=1)
    model = builder.build([target])
    assert kernels_of(model) == ["conv_2d_s8"]
    assert_bit_exact_on_random_inputs(model, core=M55)
