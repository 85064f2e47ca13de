"""The kernels of patches and planes, on this computer, against TensorFlow Lite Micro."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import assert_bit_exact_on_random_inputs, compile_model
from model_builder import ModelBuilder
from operator_strategies import Affine, many, model_of, sweep
from test_convolution import add_convolution, convolutions
from test_fully_connected import add_fully_connected, fully_connected_layers

from tinyml_tool.boards import Core

DSP = Core(name="cortex-m4", fpu="single", dsp=True)
M0 = Core(name="cortex-m0")
M3 = Core(name="cortex-m3")
RISC_V = Core(name="rv32imc")
CORES = [
    DSP,
    Core(name="cortex-m7", fpu="single", dsp=True),
    Core(name="cortex-m33", fpu="single", dsp=True),
]


@st.composite
def depthwise_3x3(draw):
    """Depthwise convolutions that the kernel of planes takes, the usual outputs of ReLU often."""
    case = draw(convolutions("DEPTHWISE_CONV_2D"))
    channels = draw(st.integers(4, 17))
    height, width = draw(st.integers(3, 17)), draw(st.integers(3, 17))
    stride = draw(st.sampled_from([1, 2]))
    scale = case.weight_scales[0]
    case = replace(
        case,
        input_shape=(case.input_shape[0], height, width, channels),
        window=(3, 3),
        channels=channels,
        stride=(stride, stride),
        dilation=(1, 1),
        weight_scales=tuple(scale * draw(st.floats(0.5, 1)) for _ in range(channels)),
    )
    return usual_relu(case) if draw(st.booleans()) else case


def usual_relu(case):
    """The same with the output of a fused ReLU: no value below the zero point."""
    return replace(case, activation="RELU", target=Affine(case.target.scale, -128))


@st.composite
def dense_convolutions(draw):
    """Convolutions without groups, the usual outputs of ReLU often."""
    case = draw(convolutions("CONV_2D").filter(lambda c: c.filter_channels == c.input_shape[3]))
    return usual_relu(case) if draw(st.booleans()) else case


def kernels_of(model, core=DSP):
    return [layer.call.kernel for layer in compile_model(model, core).layers if layer.call]


def modes_of(model):
    calls = [layer.call for layer in compile_model(model, DSP).layers if layer.call]
    return {dict(call.params).get("requantization") for call in calls}


@sweep(1)
@given(many(depthwise_3x3()))
def test_depthwise_3x3_equals_the_reference(cases):
    model = model_of(cases, add_convolution)
    assert kernels_of(model).count("depthwise_conv_2d_s8_planes") >= len(cases) // 2
    assert_bit_exact_on_random_inputs(model, core=DSP)


@sweep(1)
@given(many(dense_convolutions()))
def test_patches_equal_the_reference(cases):
    model = model_of(cases, add_convolution)
    assert kernels_of(model).count("conv_2d_s8_patches") >= len(cases) // 2
    assert_bit_exact_on_random_inputs(model, core=DSP)


@sweep(1)
@given(many(dense_convolutions()))
def test_plain_patches_equal_the_reference(cases):
    model = model_of(cases, add_convolution)
    assert kernels_of(model, RISC_V).count("conv_2d_s8_patches") >= len(cases) // 2
    assert_bit_exact_on_random_inputs(model, core=RISC_V)


@sweep(1)
@given(many(dense_convolutions()))
def test_plain_patches_have_no_undefined_behaviour_and_read_nothing_outside(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), sanitize=True, core=RISC_V)


@sweep(1)
@given(many(depthwise_3x3() | dense_convolutions()))
def test_the_kernels_have_no_undefined_behaviour_and_read_nothing_outside(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), sanitize=True, core=DSP)


@pytest.mark.slow
@pytest.mark.parametrize("core", [DSP, M3, M0, RISC_V], ids=lambda core: core.name)
@sweep(250)
@given(cases=many(depthwise_3x3() | dense_convolutions()))
def test_thousands_of_layers_equal_the_reference(core, cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_convolution), core=core)


def one_layer(relu=True, weights=None, bias=0, target_scale=0.5):
    """1x1, 8 to 3 channels on 4x4."""
    builder = ModelBuilder()
    rng = np.random.default_rng(0)
    source = builder.input("int8", (1, 4, 4, 8), scale=0.5, zero_point=-128)
    if weights is None:
        weights = rng.integers(-127, 128, (3, 1, 1, 8))
    kernel = builder.constant(weights, "int8", scale=[0.01, 0.011, 0.012], axis=0)
    biases = builder.constant(np.full(3, bias), "int32", scale=0.005)
    target = builder.tensor(
        "int8", (1, 4, 4, 3), scale=target_scale, zero_point=-128 if relu else 5
    )
    options = {"padding": "VALID", "stride_h": 1, "stride_w": 1}
    if relu:
        options["fused_activation_function"] = "RELU"
    builder.operator("CONV_2D", [source, kernel, biases], target, **options)
    return builder.build([target])


@pytest.mark.parametrize(("relu", "mode"), [(True, 0), (False, 1)])
def test_requantization_is_as_short_as_proven(relu, mode):
    model = one_layer(relu)
    assert modes_of(model) == {mode}
    assert_bit_exact_on_random_inputs(model, sanitize=True)


def test_a_weight_of_minus_128_takes_the_general_kernel():
    weights = np.full((3, 1, 1, 8), -128)
    model = one_layer(weights=weights, target_scale=3.0)
    assert kernels_of(model, RISC_V) == ["conv_2d_s8_patches"]
    assert_bit_exact_on_random_inputs(model, core=RISC_V)
    assert kernels_of(model) == ["conv_2d_s8"]
    assert "-128" in compile_model(model).layers[0].call.reason
    assert_bit_exact_on_random_inputs(model)


def test_sums_beyond_24_bits_take_the_general_kernel():
    model = one_layer(bias=2**23, target_scale=400.0)
    assert kernels_of(model) == ["conv_2d_s8"]
    assert_bit_exact_on_random_inputs(model)


def test_a_core_without_dsp_instructions_has_plain_patches():
    plan = compile_model(one_layer(), RISC_V)
    (layer,) = plan.layers
    assert dict(layer.call.params)["packed"] == 0
    assert "no DSP" in layer.call.reason


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_every_core_with_dsp_instructions_has_the_kernels(core):
    assert compile_model(one_layer(), core).kernels == ("conv_2d_s8_patches",)


ON_EVERY_CORE = pytest.mark.parametrize(
    ("core", "kernel"),
    [
        (DSP, "fully_connected_s8_packed"),
        (M3, "fully_connected_s8_lanes"),
        (M0, "fully_connected_s8_bytes"),
    ],
    ids=lambda value: getattr(value, "name", "kernel"),
)
PER_CHANNEL = pytest.mark.parametrize("per_channel", [False, True])


@ON_EVERY_CORE
@pytest.mark.parametrize("inputs", [1, 3, 4, 5, 8, 17, 33])
@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 7])
@PER_CHANNEL
def test_fully_connected_layers_of_every_core_equal_the_reference(
    per_channel, inputs, outputs, core, kernel
):
    rng = np.random.default_rng(inputs * 8 + outputs)
    builder = ModelBuilder()
    source = builder.input("int8", (3, inputs), scale=0.5, zero_point=int(rng.integers(-128, 128)))
    scales = list(rng.uniform(0.002, 0.02, outputs)) if per_channel else [0.01]
    weights = builder.constant(
        rng.integers(-127, 128, (outputs, inputs)), "int8", scale=scales, axis=0
    )
    biases = [0.5 * scale for scale in scales]
    bias = builder.constant(rng.integers(-999, 999, outputs), "int32", scale=biases, axis=0)
    target = builder.tensor("int8", (3, outputs), scale=0.7, zero_point=int(rng.integers(-99, 99)))
    builder.operator("FULLY_CONNECTED", [source, weights, bias], target)
    model = builder.build([target])
    (layer,) = compile_model(model, core).layers
    assert layer.call.kernel == kernel
    assert ("constants by output" in layer.call.reason) == (per_channel and outputs > 1)
    assert_bit_exact_on_random_inputs(model, core=core, sanitize=True)


def unlike_outputs(activation="NONE", far_apart=1e5):
    """21 to 9 outputs: weights of one scale and of `far_apart` times less, of nothing but zeros,
    of a bias that saturates, of extremes."""
    rng = np.random.default_rng(5)
    builder = ModelBuilder()
    source = builder.input("int8", (2, 21), scale=0.1, zero_point=-3)
    values = rng.integers(-127, 128, (9, 21))
    scales = np.full(9, 0.02)
    scales[[1, 4]] /= far_apart
    values[2] = 0
    values[6] = 127
    values[7] = -127
    biases = rng.integers(-500, 500, 9)
    biases[3] = 10**7
    biases[8] = -(10**7)
    weights = builder.constant(values, "int8", scale=list(scales), axis=0)
    bias = builder.constant(biases, "int32", scale=list(0.1 * scales), axis=0)
    target = builder.tensor("int8", (2, 9), scale=0.05, zero_point=11)
    builder.operator(
        "FULLY_CONNECTED", [source, weights, bias], target, fused_activation_function=activation
    )
    return builder.build([target])


@ON_EVERY_CORE
@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU6"])
def test_outputs_of_one_layer_may_differ_as_much_as_they_like(activation, core, kernel):
    model = unlike_outputs(activation)
    assert kernels_of(model, core) == [kernel]
    assert_bit_exact_on_random_inputs(model, core=core, sanitize=True)


@ON_EVERY_CORE
def test_an_output_whose_constants_are_not_proven_leaves_its_layer_to_the_general_kernel(
    core, kernel
):
    # A factor above 2**6 needs a shift to the left.
    model = unlike_outputs(far_apart=1e-4)
    (layer,) = compile_model(model, core).layers
    assert layer.call.kernel == "fully_connected_s8"
    assert "not proven" in layer.call.reason
    assert_bit_exact_on_random_inputs(model, core=core, sanitize=True)


@ON_EVERY_CORE
@sweep(1)
@given(cases=many(fully_connected_layers(per_channel=(True,))))
def test_fully_connected_layers_with_scales_by_output_equal_the_reference(core, kernel, cases):
    model = model_of(cases, add_fully_connected)
    # Random weights often have a -128 that packed words cannot hold, and scales none of networks.
    assert kernels_of(model, core).count(kernel) >= len(cases) // 4
    assert_bit_exact_on_random_inputs(model, core=core, sanitize=True)
