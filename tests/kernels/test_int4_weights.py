"""Layers with int4 weights: generated C against TensorFlow Lite Micro."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import assert_bit_exact_on_random_inputs, compile_model, unsupported_reasons
from model_builder import ModelBuilder
from operator_strategies import (
    add_input,
    bias_values,
    many,
    model_of,
    sweep,
)
from shared import shared_model
from test_convolution import add_convolution, convolutions
from test_dsp_kernels import depthwise_3x3, usual_relu
from test_fully_connected import FullyConnected, fully_connected_layers

import tinyml_tool as tt
from tinyml_tool.boards import Core
from tinyml_tool.compiler.footprint import constant_sizes
from tinyml_tool.quantization.int4_weights import with_int4_weights

M0 = Core(name="cortex-m0", fpu="none", dsp=False)
M4 = Core(name="cortex-m4", fpu="single", dsp=True)
M55 = Core(name="cortex-m55", fpu="double", dsp=True, mve=True)
CORES = [M0, M4, M55]
FACTOR = 127 / 8
"""By which int4 sums are less than those of int8 weights."""


def narrow(case):
    """The same layer with int4 weights and outputs of the same size."""
    scales = tuple(scale * FACTOR for scale in case.weight_scales)
    return replace(case, weights="int4", weight_scales=scales)


@st.composite
def windows(draw):
    """Convolutions of both kinds, often with the output of a fused ReLU."""
    kinds = convolutions("CONV_2D") | convolutions("DEPTHWISE_CONV_2D") | depthwise_3x3()
    case = narrow(draw(kinds))
    return usual_relu(case) if draw(st.booleans()) else case


@st.composite
def dense_layers(draw):
    """Fully connected layers with one scale, and a zero point of the weights."""
    case = draw(fully_connected_layers(per_channel=(False,)))
    scales = tuple(scale * FACTOR for scale in case.weight_scales)
    return replace(case, weight_scales=scales), draw(st.sampled_from([0, 0, 0, -8, 3, 7]))


def add_layer(builder: ModelBuilder, case) -> int:
    return add_dense(builder, *case) if isinstance(case, tuple) else add_convolution(builder, case)


def add_dense(builder: ModelBuilder, case: FullyConnected, zero_point: int) -> int:
    rng = np.random.default_rng(case.seed)
    values = rng.integers(-8, 8, (case.output_c, case.input_c))
    scale = case.weight_scales[0]
    inputs = [
        add_input(builder, case.input_shape, case.source),
        builder.constant(values, "int4", scale=scale, zero_point=zero_point),
    ]
    if case.bias not in ("missing", "absent"):
        factor = case.source.scale * scale / case.target.scale
        bias = bias_values(rng, case.output_c, factor, case.bias == "limits")
        inputs.append(builder.constant(bias, "int32", scale=case.source.scale * scale))
    output = builder.tensor("int8", case.output_shape, **case.target.arguments())
    options = {"fused_activation_function": case.activation, "keep_num_dims": case.keep_num_dims}
    return builder.operator("FULLY_CONNECTED", inputs, output, **options)


LAYERS = many(windows() | dense_layers())


def kernels_of(model, core=M4, optimize="balanced"):
    plan = compile_model(model, core, optimize)
    return [layer.call.kernel for layer in plan.layers if layer.call]


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
@sweep(1)
@given(cases=LAYERS)
def test_random_layers_equal_the_reference(core, cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_layer), core=core)


@pytest.mark.parametrize("core", [M0, M4], ids=lambda core: core.name)
@sweep(1)
@given(cases=LAYERS)
def test_random_layers_have_no_undefined_behaviour_and_read_nothing_outside(core, cases):
    model = model_of(cases, add_layer)
    assert_bit_exact_on_random_inputs(model, sanitize=True, core=core, optimize="size")


@sweep(1)
@given(cases=LAYERS)
def test_widened_weights_answer_the_same(cases):
    model = model_of(cases, add_layer)
    assert not any("_s4" in kernel for kernel in kernels_of(model, optimize="speed"))
    assert_bit_exact_on_random_inputs(model, optimize="speed")


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
@sweep(60)
@given(cases=LAYERS)
def test_thousands_of_layers_equal_the_reference(core, cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_layer), core=core)


def assert_bit_exact_on(board: str, model: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layers.tflite"
        path.write_bytes(model)
        evidence = tt.deploy(path, board=board, output=Path(folder) / "project", vectors=3)
    assert evidence.parity.vectors == 3
    assert evidence.parity.values_different == 0, evidence.parity.first_difference


@sweep(1)
@given(cases=LAYERS)
def test_layers_are_bit_exact_on_a_cortex_m4(cases):
    assert_bit_exact_on("qemu-m4", model_of(cases, add_layer))


def test_a_keyword_model_with_int4_weights_is_bit_exact_on_a_cortex_m4():
    model = shared_model("kws_ref_model.tflite").read_bytes()
    assert_bit_exact_on("qemu-m4", with_int4_weights(model, "kws"))


@pytest.mark.slow
@pytest.mark.parametrize("board", ["qemu-m0", "qemu-m3", "qemu-m33", "qemu-m55"])
@sweep(1)
@given(cases=st.lists(windows() | dense_layers(), min_size=12, max_size=12))
def test_layers_are_bit_exact_on_every_emulated_core(board, cases):
    assert_bit_exact_on(board, model_of(cases, add_layer))


def dense(weights, bias=0, scales=0.01, activations="int8", target_scale=0.3) -> bytes:
    """A fully connected layer."""
    builder = ModelBuilder()
    outputs, inputs = weights.shape
    zero_point = -3 if activations == "int8" else 0
    source = builder.input(activations, (2, inputs), scale=0.5, zero_point=zero_point)
    kernel = builder.constant(weights, "int4", scale=scales, axis=0)
    bias_type = "int32" if activations == "int8" else "int64"
    biases = builder.constant(np.full(outputs, bias), bias_type, scale=0.005)
    target = builder.tensor(activations, (2, outputs), scale=target_scale)
    builder.operator("FULLY_CONNECTED", [source, kernel, biases], target)
    return builder.build([target])


@pytest.mark.parametrize("inputs", [1, 3, 4, 5, 8, 17, 33])
@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 7])
def test_packed_fully_connected_layers_equal_the_reference(inputs, outputs):
    rng = np.random.default_rng(inputs * 8 + outputs)
    model = dense(rng.integers(-8, 8, (outputs, inputs)))
    assert kernels_of(model) == ["fully_connected_s4_packed"]
    assert_bit_exact_on_random_inputs(model, sanitize=True)


@pytest.mark.parametrize("value", [-8, 7])
def test_the_limits_of_weights_and_inputs_are_exact(value):
    model = dense(np.full((4, 400), value))
    assert kernels_of(model) == ["fully_connected_s4_packed"]
    assert_bit_exact_on_random_inputs(model)


def test_sums_beyond_20_bits_take_the_general_kernel():
    model = dense(np.full((4, 4), 7), bias=2**19, target_scale=30.0)
    assert kernels_of(model) == ["fully_connected_s4"]
    assert "20 bits" in compile_model(model, M4).layers[0].call.reason
    assert_bit_exact_on_random_inputs(model)


def test_weights_take_half_the_flash_except_where_speed_counts():
    rng = np.random.default_rng(0)
    model = dense(rng.integers(-8, 8, (32, 64)))
    for core in CORES:
        sizes = {
            preset: max(constant_sizes(compile_model(model, core, preset)))
            for preset in ("size", "balanced", "speed")
        }
        biases = 32 * 4
        assert sizes["size"] == sizes["balanced"] <= 32 * 64 // 2 + biases
        assert sizes["speed"] >= 32 * 64


def test_each_layer_tells_the_width_of_its_weights():
    model = dense(np.ones((4, 4), int))
    reasons = {
        preset: compile_model(model, M4, preset).layers[0].call.reason
        for preset in ("balanced", "speed")
    }
    assert reasons["balanced"].startswith("int4 weights;")
    assert reasons["speed"].startswith("int4 weights, widened to 8 bits;")


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        (dense(np.ones((4, 4), int), scales=[0.1, 0.2, 0.3, 0.4]), "a scale for each output"),
        (dense(np.ones((4, 4), int), activations="int16"), "int16 activations"),
    ],
)
def test_what_tflm_does_not_run_is_refused_with_the_way_out(model, cause):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert "nor by TFLM" in reasons
    assert "int8" in reasons
