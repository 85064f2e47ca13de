"""Operators on int16 that look at one element, or one window, at a time, against the reference."""

import numpy as np
import pytest
from kernel_case import assert_bit_exact, assert_bit_exact_on_random_inputs, unsupported_reasons
from model_builder import ModelBuilder

EVERY_VALUE = np.arange(-(2**15), 2**15, dtype=np.int16).reshape(1, -1)
UNIT = 2.0**-15
"""The output scale of LOGISTIC and TANH."""


def function(kind: str, scale: float, output_scale: float, zero_point: int = 0, **options) -> bytes:
    builder = ModelBuilder()
    source = builder.input("int16", EVERY_VALUE.shape, scale=scale, zero_point=zero_point)
    target = builder.tensor("int16", EVERY_VALUE.shape, scale=output_scale)
    return builder.build([builder.operator(kind, [source], target, **options)])


@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize(
    "scale", [2.0**-12, 2.0**-11, 2.0**-13, 1e-3, 2.9e-4, 7.1e-5, 1e-8, 0.11, 2.6]
)
def test_every_value_of_a_sigmoid_equals_the_reference(kind, scale):
    assert_bit_exact(function(kind, scale, UNIT), [EVERY_VALUE], sanitize=scale in (1e-3, 2.6))


@pytest.mark.parametrize("ratio", [1.0, 0.37, 1.9, 3.1e-4, 250.0, 1e-12])
def test_every_value_of_relu_equals_the_reference(ratio):
    assert_bit_exact(function("RELU", 1e-3 * ratio, 1e-3), [EVERY_VALUE], sanitize=ratio > 1)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 2.3e-4, 100.0])
def test_every_value_of_relu6_equals_the_reference(scale):
    assert_bit_exact(function("RELU6", scale, scale), [EVERY_VALUE])


@pytest.mark.parametrize("alpha", [0.1, -0.3, 1.7, 0.0])
@pytest.mark.parametrize("ratio", [1.0, 0.37, 30.0])
def test_every_value_of_leaky_relu_equals_the_reference(alpha, ratio):
    model = function("LEAKY_RELU", 1e-3 * ratio, 1e-3, alpha=alpha)
    assert_bit_exact(model, [EVERY_VALUE], sanitize=alpha == 1.7)


ELEMENTWISE = ["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"]
SHAPES = [((1, 7, 5), (1, 7, 5)), ((1, 7, 5), (5,)), ((1, 1, 5), (1, 7, 1)), ((3, 5), (1,))]


def elementwise_model(kind: str, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    builder = ModelBuilder()
    outputs = []
    for shapes in SHAPES:
        first, second = (float(np.float32(2.0 ** rng.uniform(-14, -4))) for _ in range(2))
        output = max(first, second) * 2.0 ** rng.uniform(-3, 3)
        options = {"fused_activation_function": str(rng.choice(["NONE", "RELU", "RELU6"]))}
        if kind == "MUL":
            output = first * second * 2.0 ** rng.uniform(0, 17)
        if kind in ("MAXIMUM", "MINIMUM"):
            second, output, options = first, first, {}
        scales = zip(shapes, (first, second), strict=True)
        inputs = [builder.input("int16", shape, scale=scale) for shape, scale in scales]
        target = builder.tensor("int16", np.broadcast_shapes(*shapes), scale=output)
        outputs.append(builder.operator(kind, inputs, target, **options))
    return builder.build(outputs)


@pytest.mark.parametrize("kind", ELEMENTWISE)
@pytest.mark.parametrize("seed", range(4))
def test_elementwise_operators_equal_the_reference(kind, seed):
    assert_bit_exact_on_random_inputs(elementwise_model(kind, seed), seed, sanitize=seed == 0)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_many_pairs_of_values_equal_the_reference(kind):
    rng = np.random.default_rng(3)
    builder = ModelBuilder()
    inputs = [builder.input("int16", (20000,), scale=scale) for scale in (1.1e-3, 0.7e-3)]
    output = {"ADD": 2e-3, "SUB": 2e-3, "MUL": 0.03}[kind]
    target = builder.tensor("int16", (20000,), scale=output)
    model = builder.build([builder.operator(kind, inputs, target)])
    pairs = rng.integers(-(2**15), 2**15, (8, 2, 20000)).astype(np.int16)
    assert_bit_exact(model, *(list(pair) for pair in pairs))


def pooling_model(kind: str, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    builder = ModelBuilder()
    outputs = []
    for _ in range(10):
        height, width, channels = (int(v) for v in rng.integers(1, 18, 3))
        padding = str(rng.choice(["SAME", "VALID"]))
        window = [int(rng.integers(1, 1 + min(5, size))) for size in (height, width)]
        stride = [int(v) for v in rng.integers(1, 4, 2)]
        sizes = [
            -(-size // step) if padding == "SAME" else (size - taps) // step + 1
            for size, taps, step in zip((height, width), window, stride, strict=True)
        ]
        source = builder.input("int16", (1, height, width, channels), scale=1e-3)
        target = builder.tensor("int16", (1, *sizes, channels), scale=1e-3)
        options = {
            "padding": padding,
            "stride_h": stride[0],
            "stride_w": stride[1],
            "filter_height": window[0],
            "filter_width": window[1],
            "fused_activation_function": str(rng.choice(["NONE", "RELU", "RELU6"])),
        }
        outputs.append(builder.operator(kind, [source], target, **options))
    return builder.build(outputs)


@pytest.mark.parametrize("kind", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
@pytest.mark.parametrize("seed", range(3))
def test_pooling_equals_the_reference(kind, seed):
    assert_bit_exact_on_random_inputs(pooling_model(kind, seed), seed, sanitize=seed == 0)


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        (function("LOGISTIC", 1e-3, 1e-3), "needs 2**-15"),
        (function("TANH", 3.0, UNIT), "not below 2.67"),
        (function("RELU", 1e-3, 1e-3, zero_point=5), "zero point 5 (int16 needs 0)"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert "quantize the model again" in reasons


def softmax_model(shape: tuple[int, ...], scale: float, beta: float = 1.0) -> bytes:
    builder = ModelBuilder()
    source = builder.input("int16", shape, scale=scale)
    target = builder.tensor("int16", shape, scale=UNIT)
    return builder.build([builder.operator("SOFTMAX", [source], target, beta=beta)])


@pytest.mark.parametrize("depth", [1, 2, 3, 12, 257])
@pytest.mark.parametrize("scale", [1e-3, 2.0**-12, 1e-5, 1e-4, 0.4])
def test_softmax_equals_the_reference(depth, scale):
    model = softmax_model((60, depth), scale)
    assert_bit_exact_on_random_inputs(model, depth, sanitize=depth == 3)


def test_every_exponential_equals_the_reference():
    pairs = np.stack([np.full(2**15, 2**15 - 1), np.arange(0, 2**15)], axis=1)
    for scale in (10 / 65535, 20 / 65535):
        model = softmax_model((2**15, 2), scale)
        assert_bit_exact(model, [pairs.astype(np.int16)], [(-pairs).astype(np.int16)])
