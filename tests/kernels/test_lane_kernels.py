"""The kernels of cores with long multiplication but no DSP instructions, on this computer."""

import numpy as np
import pytest
from hypothesis import given
from kernel_case import assert_bit_exact_on_random_inputs, compile_model
from operator_strategies import many, model_of, sweep
from test_convolution import add_convolution
from test_dsp_kernels import M3, dense_convolutions, kernels_of, one_layer

from tinyml_tool.boards import Core
from tinyml_tool.compiler.lowering.convolution_lanes import lane_starts


@sweep(1)
@given(many(dense_convolutions()))
def test_convolutions_in_lanes_equal_the_reference(cases):
    model = model_of(cases, add_convolution)
    assert kernels_of(model, M3).count("conv_2d_s8_lanes") >= len(cases) // 2
    assert_bit_exact_on_random_inputs(model, core=M3)


@sweep(1)
@given(many(dense_convolutions()))
def test_lanes_have_no_undefined_behaviour_and_read_nothing_outside(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), sanitize=True, core=M3)


@pytest.mark.parametrize("weight", [-128, 127])
def test_extreme_weights_are_exact_in_lanes(weight):
    model = one_layer(weights=np.full((3, 1, 1, 8), weight), target_scale=3.0)
    assert kernels_of(model, M3) == ["conv_2d_s8_lanes"]
    assert_bit_exact_on_random_inputs(model, core=M3, sanitize=True)


def test_sums_beyond_24_bits_take_the_general_kernel():
    model = one_layer(bias=2**23, target_scale=400.0)
    assert kernels_of(model, M3) == ["conv_2d_s8"]
    assert_bit_exact_on_random_inputs(model, core=M3)


@pytest.mark.parametrize(
    ("core", "kernel"),
    [
        (M3, "conv_2d_s8_lanes"),
        (Core(name="cortex-m33"), "conv_2d_s8_lanes"),
        (Core(name="cortex-m4", dsp=True), "conv_2d_s8_patches"),
        (Core(name="cortex-m0"), "conv_2d_s8_patches"),
        (Core(name="rv32imc"), "conv_2d_s8_patches"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_lanes_are_for_arm_cores_with_long_multiplication_and_without_dsp(core, kernel):
    assert kernels_of(one_layer(), core) == [kernel]


def test_the_reason_tells_of_long_multiplication():
    (layer,) = compile_model(one_layer(), M3).layers
    assert "long multiplication" in layer.call.reason


def test_sums_begin_with_the_bias_of_each_lane():
    weights = np.array([[1, 2, -3, 100], [0, 0, 0, -128]], np.int8)
    bias = np.array([5, -7])
    starts = lane_starts(weights, bias, zero_point=-4).view("<i8").reshape(-1)
    sums = weights.astype(int).sum(axis=1)
    folded = bias + 4 * sums
    assert starts.tolist() == (folded * 2**24 + folded - 128 * sums + 2**23).tolist()
