"""The kernels of Arm cores without DSP instructions, on this computer."""

import numpy as np
import pytest
from hypothesis import given
from kernel_case import assert_bit_exact_on_random_inputs, compile_model
from model_builder import ModelBuilder
from operator_strategies import many, model_of, sweep
from test_convolution import add_convolution
from test_dsp_kernels import M0, M3, dense_convolutions, depthwise_3x3, kernels_of, one_layer

from tinyml_tool.boards import Core
from tinyml_tool.compiler.lowering.convolution_lanes import lane_starts
from tinyml_tool.compiler.overlap import is_in_place

on_both = pytest.mark.parametrize("core", [M3, M0], ids=lambda core: core.name)


@on_both
@sweep(1)
@given(cases=many(dense_convolutions()))
def test_convolutions_in_lanes_equal_the_reference(core, cases):
    model = model_of(cases, add_convolution)
    assert kernels_of(model, core).count("conv_2d_s8_lanes") >= len(cases) // 2
    assert_bit_exact_on_random_inputs(model, core=core)


@on_both
@sweep(1)
@given(cases=many(depthwise_3x3()))
def test_depthwise_3x3_in_lanes_equals_the_reference(core, cases):
    model = model_of(cases, add_convolution)
    assert kernels_of(model, core).count("depthwise_conv_2d_s8_lanes") >= len(cases) // 2
    assert_bit_exact_on_random_inputs(model, core=core)


@on_both
@sweep(1)
@given(cases=many(depthwise_3x3() | dense_convolutions()))
def test_lanes_have_no_undefined_behaviour_and_read_nothing_outside(core, cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), sanitize=True, core=core)


@on_both
@pytest.mark.parametrize("weight", [-128, 127])
def test_extreme_weights_are_exact_in_lanes(weight, core):
    model = one_layer(weights=np.full((3, 1, 1, 8), weight), target_scale=3.0)
    assert kernels_of(model, core) == ["conv_2d_s8_lanes"]
    assert_bit_exact_on_random_inputs(model, core=core, sanitize=True)


@on_both
def test_sums_beyond_24_bits_take_the_general_kernel(core):
    model = one_layer(bias=2**23, target_scale=400.0)
    assert kernels_of(model, core) == ["conv_2d_s8"]
    assert_bit_exact_on_random_inputs(model, core=core)


@pytest.mark.parametrize(
    ("core", "kernel"),
    [
        (M3, "conv_2d_s8_lanes"),
        (Core(name="cortex-m33"), "conv_2d_s8_lanes"),
        (Core(name="cortex-m4", dsp=True), "conv_2d_s8_patches"),
        (M0, "conv_2d_s8_lanes"),
        (Core(name="rv32imc"), "conv_2d_s8_patches"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_lanes_are_for_arm_cores_without_dsp_instructions(core, kernel):
    assert kernels_of(one_layer(), core) == [kernel]


@pytest.mark.parametrize(
    ("core", "lanes", "reason"), [(M3, 2, "by one long multiplication"), (M0, 1, "neither DSP")]
)
def test_the_reason_tells_how_products_are_made(core, lanes, reason):
    (layer,) = compile_model(one_layer(), core).layers
    assert dict(layer.call.params)["lanes"] == lanes
    assert reason in layer.call.reason


def depthwise(height, width, channels, stride):
    """3x3, SAME, on as many channels as given."""
    rng = np.random.default_rng(height * 100 + width)
    builder = ModelBuilder()
    source = builder.input("int8", (1, height, width, channels), scale=0.5, zero_point=-7)
    kernel = builder.constant(
        rng.integers(-127, 128, (1, 3, 3, channels)), "int8", scale=[0.01] * channels, axis=3
    )
    bias = builder.constant(rng.integers(-999, 999, channels), "int32", scale=0.005)
    shape = (1, -(-height // stride), -(-width // stride), channels)
    target = builder.tensor("int8", shape, scale=2.0, zero_point=3)
    builder.operator(
        "DEPTHWISE_CONV_2D",
        [source, kernel, bias],
        target,
        padding="SAME",
        stride_h=stride,
        stride_w=stride,
        depth_multiplier=1,
    )
    return builder.build([target])


@on_both
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 5), (3, 3), (40, 3), (64, 61)])
def test_depthwise_lines_of_every_length_and_in_bands_are_exact(shape, stride, core):
    model = depthwise(*shape, 5, stride)
    assert kernels_of(model, core) == ["depthwise_conv_2d_s8_lanes"]
    assert_bit_exact_on_random_inputs(model, core=core, sanitize=True)


@on_both
def test_a_depthwise_layer_in_lanes_writes_where_its_input_was(core):
    plan = compile_model(depthwise(16, 16, 6, 1), core)
    (layer,) = plan.layers
    assert is_in_place(layer.call)
    assert not is_in_place(compile_model(depthwise(16, 16, 6, 2), core).layers[0].call)


def test_sums_begin_with_the_bias_of_each_lane():
    weights = np.array([[1, 2, -3, 100], [0, 0, 0, -128]], np.int8)
    bias = np.array([5, -7])
    starts = lane_starts(weights, bias, zero_point=-4).view("<i8").reshape(-1)
    sums = weights.astype(int).sum(axis=1)
    folded = bias + 4 * sums
    assert starts.tolist() == (folded * 2**24 + folded - 128 * sums + 2**23).tolist()
