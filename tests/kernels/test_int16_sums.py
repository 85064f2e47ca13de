"""Layers of 16-bit activations and 8-bit weights: generated C against TensorFlow Lite Micro."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from kernel_case import (
    assert_bit_exact,
    assert_bit_exact_on_random_inputs,
    compile_model,
    unsupported_reasons,
)
from model_builder import ModelBuilder
from numpy.typing import NDArray

import tinyml_tool as tt
from tinyml_tool.boards import Core

KINDS = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"]
PLAIN = Core(name="cortex-m0", fpu="none", dsp=False)
INT32 = 2
"""TensorType.INT32."""


@dataclass(frozen=True)
class Layer:
    """A layer; `factor` turns sums into output values."""

    kind: str
    source: tuple[int, ...]
    weights: tuple[int, ...]
    factors: tuple[float, ...]
    bias: str
    bias_limit: int
    options: dict[str, object]

    @property
    def channels(self) -> int:
        return self.weights[3 if self.kind == "DEPTHWISE_CONV_2D" else 0]

    @property
    def output(self) -> tuple[int, ...]:
        if self.kind == "FULLY_CONNECTED":
            return (self.source[0], self.channels)
        sizes = zip(self.source[1:3], self.weights[1:3], ("h", "w"), strict=True)
        return (self.source[0], *(self._positions(*size) for size in sizes), self.channels)

    def _positions(self, size: int, window: int, axis: str) -> int:
        stride = self.options[f"stride_{axis}"]
        if self.options["padding"] == "SAME":
            return -(-size // stride)
        return (size - (window - 1) * self.options[f"dilation_{axis}_factor"] - 1) // stride + 1


def random_layer(kind: str, rng: np.random.Generator) -> Layer:
    """Any shape, with a factor that makes most outputs neither 0 nor saturated."""
    activation = rng.choice(["NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1"])
    options: dict[str, object] = {"fused_activation_function": str(activation)}
    if kind == "FULLY_CONNECTED":
        source = (int(rng.integers(1, 4)), int(rng.integers(1, 200)))
        weights = (int(rng.integers(1, 18)), source[1])
        products = source[1]
    else:
        source, weights, products = random_window(kind, rng, options)
    bias = str(rng.choice(BIASES[kind]))
    if bias == "none of 32 bits":
        options["quantized_bias_type"] = INT32
    spread = 2.0 ** rng.uniform(-3, 3) if rng.random() < 0.8 else 2.0 ** rng.uniform(-20, 12)
    factor = 16384 / (75 * 19000 * math.sqrt(products)) * spread
    channels = weights[3 if kind == "DEPTHWISE_CONV_2D" else 0]
    count = int(rng.choice([1, channels]))
    limit = int(min(16384 / factor, 2**31 - 1 if "32" in bias else 2**45))
    if rng.random() < 0.15:
        limit = 2**31 - 2**25 if "32" in bias else 2**46
    factors = tuple(min(factor, 100.0) * rng.uniform(0.3, 1, count))
    return Layer(kind, source, weights, factors, bias, limit, options)


BIASES = {
    "CONV_2D": ["int64", "int64", "int32", "none", "none of 32 bits"],
    "DEPTHWISE_CONV_2D": ["int64", "int64", "none"],
    "FULLY_CONNECTED": ["int64", "int64", "int32", "none", "none of 32 bits"],
}


def random_window(kind, rng, options):
    """Input, weights and products of a sum."""
    padding = str(rng.choice(["SAME", "VALID"]))
    dilation = [1, 1] if rng.random() < 0.5 else [int(v) for v in rng.integers(1, 4, 2)]
    size = [int(v) for v in rng.integers(1, 18, 2)]
    window = [
        int(rng.integers(1, 1 + (5 if padding == "SAME" else min(5, (n - 1) // d + 1))))
        for n, d in zip(size, dilation, strict=True)
    ]
    options |= {
        "padding": padding,
        "stride_h": int(rng.integers(1, 4)),
        "stride_w": int(rng.integers(1, 4)),
        "dilation_h_factor": dilation[0],
        "dilation_w_factor": dilation[1],
    }
    if kind == "CONV_2D":
        groups = int(rng.choice([1, 1, 1, 2, 3]))
        filter_c = int(rng.integers(1, 1 + 17 // groups))
        source = (1, *size, groups * filter_c)
        weights = (groups * int(rng.integers(1, 1 + 17 // groups)), *window, filter_c)
        return source, weights, math.prod(window) * filter_c
    input_c = int(rng.integers(1, 18))
    options["depth_multiplier"] = int(rng.choice([1, 1, 2, 3]))
    weights = (1, *window, input_c * options["depth_multiplier"])
    return (1, *size, input_c), weights, math.prod(window)


def add_layer(builder: ModelBuilder, layer: Layer, rng: np.random.Generator) -> int:
    scale, target = 1e-3, 2.0**-12
    scales = [float(np.float32(factor * target / scale)) for factor in layer.factors]
    axis = 3 if layer.kind == "DEPTHWISE_CONV_2D" else 0
    values = rng.integers(-127, 128, layer.weights)
    inputs = [
        builder.input("int16", layer.source, scale=scale),
        builder.constant(values, "int8", scale=scales, axis=axis),
    ]
    if not layer.bias.startswith("none"):
        values = rng.integers(-layer.bias_limit, layer.bias_limit, layer.channels, endpoint=True)
        bias_scales = [scale * factor for factor in scales]
        inputs.append(builder.constant(values, layer.bias, scale=bias_scales))
    output = builder.tensor("int16", layer.output, scale=target)
    return builder.operator(layer.kind, inputs, output, **layer.options)


def random_model(kind: str, seed: int, layers: int = 12) -> bytes:
    rng = np.random.default_rng(seed)
    builder = ModelBuilder()
    return builder.build([add_layer(builder, random_layer(kind, rng), rng) for _ in range(layers)])


@pytest.mark.parametrize("core", [None, PLAIN], ids=["dsp", "plain"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_random_layers_equal_the_reference(kind, seed, core):
    arguments = {} if core is None else {"core": core}
    assert_bit_exact_on_random_inputs(random_model(kind, seed), seed, **arguments)


def layer_of(kind: str, source, weights, **options) -> bytes:
    """One layer without padding or strides, whose sums are small."""
    channels = weights[3 if kind == "DEPTHWISE_CONV_2D" else 0]
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1, **options}
    options |= {"dilation_h_factor": 1, "dilation_w_factor": 1}
    options["fused_activation_function"] = "NONE"
    layer = Layer(kind, source, weights, (1e-3,) * channels, "int64", 1000, options)
    builder = ModelBuilder()
    return builder.build([add_layer(builder, layer, np.random.default_rng(0))])


def kernel_of(model: bytes, **arguments) -> str:
    call = compile_model(model, **arguments).layers[0].call
    assert call is not None
    return call.kernel


def test_dsp_kernels_are_taken_where_they_can_be():
    dense = layer_of("CONV_2D", (1, 5, 4, 6), (5, 3, 3, 6))
    assert kernel_of(dense) == "conv_2d_s16_pairs"
    assert kernel_of(dense, core=PLAIN) == "conv_2d_s16"
    assert kernel_of(layer_of("CONV_2D", (1, 5, 4, 6), (4, 3, 3, 3))) == "conv_2d_s16"
    depthwise = layer_of("DEPTHWISE_CONV_2D", (1, 5, 4, 8), (1, 3, 3, 8), depth_multiplier=1)
    assert kernel_of(depthwise) == "depthwise_conv_2d_s16_quads"
    assert kernel_of(depthwise, core=PLAIN) == "depthwise_conv_2d_s16"
    uneven = layer_of("DEPTHWISE_CONV_2D", (1, 5, 4, 6), (1, 3, 3, 6), depth_multiplier=1)
    assert kernel_of(uneven) == "depthwise_conv_2d_s16"
    for model in (dense, depthwise):
        assert_bit_exact_on_random_inputs(model, sanitize=True)


@pytest.mark.slow
@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m33", "qemu-m3", "qemu-m0"])
@pytest.mark.parametrize("kind", KINDS)
def test_random_layers_are_bit_exact_on_cores(kind, board, tmp_path):
    path = tmp_path / "layers.tflite"
    layers = 2 if board == "qemu-m0" else 6  # its RAM holds no more
    path.write_bytes(random_model(kind, 11, layers))
    evidence = tt.deploy(path, board=board, output=tmp_path / "project", vectors=3)
    assert evidence.parity.values_different == 0, evidence.parity.first_difference


@pytest.mark.parametrize("kind", KINDS)
def test_random_layers_have_no_undefined_behaviour(kind):
    assert_bit_exact_on_random_inputs(random_model(kind, 7), sanitize=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_layers_equal_the_reference(kind):
    for seed in range(100, 300):
        assert_bit_exact_on_random_inputs(random_model(kind, seed), seed)


def dense(
    weights: NDArray[np.int64],
    bias: NDArray[np.int64] | None,
    factor: float = 2.0**-9,
    bias_type: str = "int64",
    **types: object,
) -> bytes:
    """A fully connected layer whose sums are multiplied by `factor`."""
    builder = ModelBuilder()
    quantized = {"scale": 1.0, "zero_point": types.get("zero_point", 0)}
    source = builder.input("int16", (1, weights.shape[1]), **quantized)
    inputs = [source, builder.constant(weights, "int8", scale=factor)]
    if bias is not None:
        inputs.append(builder.constant(bias, bias_type, scale=factor))
    output = builder.tensor("int16", (1, weights.shape[0]), scale=1.0)
    return builder.build([builder.operator("FULLY_CONNECTED", inputs, output)])


def reason_of(model: bytes) -> str:
    call = compile_model(model).layers[0].call
    assert call is not None
    return call.reason


# 516 * 127 * 2**15 is the last below 2**31.
@pytest.mark.parametrize(
    ("weights", "bias", "bits"), [(516, 0, "32 bits"), (517, 0, "64 bits"), (4, 2**31, "64 bits")]
)
def test_sums_are_as_wide_as_they_must_be(weights, bias, bits):
    values = np.full((2, weights), 127)
    values[1] = -127
    model = dense(values, np.array([bias, -bias]))
    assert bits in reason_of(model)
    inputs = [np.full((1, weights), limit, np.int16) for limit in (-32768, 32767)]
    assert_bit_exact(model, *([value] for value in inputs), sanitize=True)


def test_every_rounding_edge_equals_the_reference():
    rng = np.random.default_rng(0)
    for factor in [2.0**-1, 2.0**-8 * 1.37, 2.0**-16 * 1.99997, 2.0**-18, 2.0**-24 * 1.5, 3.0]:
        edges = np.rint((np.arange(-400, 400) + 0.5) / factor).astype(np.int64)
        bias = np.concatenate([edges - 1, edges, edges + 1])
        weights = rng.integers(-1, 2, (len(bias), 3))
        for bias_type in ("int64", "int32"):
            if bias_type == "int32" and np.abs(bias).max() >= 2**31:
                continue
            model = dense(weights, bias, factor, bias_type)
            inputs = [[np.array([values], np.int16)] for values in ([0, 0, 0], [1, -1, 2])]
            assert_bit_exact(model, *inputs)


ONE = np.ones((2, 4), np.int64)


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        (dense(ONE, np.zeros(2), bias_type="int16"), "bias type int16"),
        (dense(ONE, np.zeros(2), factor=256.0), "not below 2**7"),
        (dense(ONE, np.full(2, 2**47)), "limit of 2**47"),
        (dense(ONE, np.zeros(2), zero_point=3), "zero point 3 (int16 needs 0)"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert "quantize the model again" in reasons


def test_a_depthwise_convolution_needs_a_bias_of_64_bits_as_in_tflm():
    rng = np.random.default_rng(0)
    layer = replace(random_layer("DEPTHWISE_CONV_2D", rng), bias="int32", bias_limit=100)
    builder = ModelBuilder()
    model = builder.build([add_layer(builder, layer, rng)])
    assert "bias type int32" in unsupported_reasons(model)
