"""Kernels with less scratch are taken where that makes the arena smaller, and only there."""

import numpy as np
from kernel_case import assert_bit_exact_on_random_inputs, compile_model
from model_builder import ModelBuilder
from shared import shared_model

from tinyml_tool.compiler.less_scratch import with_less_scratch
from tinyml_tool.compiler.placement import buffers_of

CHANNELS = 16


def bands(plan) -> list[int]:
    """Output lines that each depthwise layer makes of one filling of its planes."""
    params = [dict(layer.call.params) for layer in plan.layers if layer.call]
    return [p["band"] for p in params if "band" in p]


def model_of_depthwise_layers(wide: bool) -> bytes:
    """Two depthwise layers in place; before them, where `wide`, a layer that needs far more."""
    rng = np.random.default_rng(3)
    builder = ModelBuilder()

    def layer(kind, x, shape, weights_shape, **options):
        axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
        channels = shape[-1]
        weights = builder.constant(
            rng.integers(-127, 128, weights_shape), "int8", scale=[0.01] * channels, axis=axis
        )
        bias = builder.constant(rng.integers(-999, 999, channels), "int32", scale=0.005)
        target = builder.tensor("int8", shape, scale=0.5, zero_point=-128)
        one = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
        return builder.operator(
            kind, [x, weights, bias], target, fused_activation_function="RELU", **one, **options
        )

    shape = (1, 20, 12, CHANNELS)
    x = builder.input("int8", shape, scale=0.5, zero_point=-128)
    if wide:
        x = layer("CONV_2D", x, (1, 20, 12, 64), (64, 1, 1, CHANNELS))
        x = layer("CONV_2D", x, shape, (CHANNELS, 1, 1, 64))
    for _ in range(2):
        x = layer("DEPTHWISE_CONV_2D", x, shape, (1, 3, 3, CHANNELS), depth_multiplier=1)
    return builder.build([x])


def test_keyword_spotting_fits_its_target():
    plan = compile_model(shared_model("kws_ref_model.tflite").read_bytes())
    assert plan.arena_bytes <= 9300
    assert bands(plan) == [3, 3, 3, 3]


def test_layers_at_the_fullest_take_the_frugal_call():
    model = model_of_depthwise_layers(wide=False)
    plan, fast = compile_model(model), compile_model(model, optimize="speed")
    assert plan.arena_bytes < fast.arena_bytes
    assert max(bands(plan)) < min(bands(fast))
    reasons = [layer.call.reason for layer in plan.layers if layer.call]
    assert all("smaller arena" in reason for reason in reasons)


def test_the_frugal_call_answers_alike():
    assert_bit_exact_on_random_inputs(model_of_depthwise_layers(wide=False), sanitize=True)


def test_layers_elsewhere_stay_fast():
    plan = compile_model(model_of_depthwise_layers(wide=True))
    assert all(
        layer.call.frugal for layer in plan.layers if layer.operator.kind.startswith("DEPTHWISE")
    )
    memory = buffers_of(plan.graph, plan.layers).place()
    assert with_less_scratch(plan.graph, plan.layers, memory) == (plan.layers, memory)
