"""Outputs over inputs: right as far as a rule allows, wrong where it is ignored."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kernel_case import CORE, random_inputs, run_generated
from model_builder import ModelBuilder
from shared import shared_model

from tinyml_tool.boards import load_board
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.overlap import overlaps
from tinyml_tool.compiler.plan import Allocation, Plan
from tinyml_tool.compiler.target import Target
from tinyml_tool.devices.host import HostModel
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.graph.reader import parse_model, read_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.host import build_host_program


def window_model(kind: str, rng: np.random.Generator, dtype: str = "int8") -> bytes:
    """One convolution or pooling of a random geometry."""
    zeros = dtype == "int16"
    builder = ModelBuilder()
    channels = int(rng.integers(1, 6))
    size, window, stride = (rng.integers(low, high, 2) for low, high in ((3, 9), (1, 4), (1, 3)))
    padding = str(rng.choice(["SAME", "VALID"]))
    made = -(-size // stride) if padding == "SAME" else (size - window) // stride + 1
    shape = (1, *size.tolist(), channels)
    source = builder.input(dtype, shape, scale=0.05, zero_point=0 if zeros else 3)
    options = {"padding": padding, "stride_h": int(stride[0]), "stride_w": int(stride[1])}
    inputs, outputs, scale, zero_point = [source], channels, 0.05, 3
    if kind == "CONV_2D":
        outputs = int(rng.integers(1, 9))
        weights_shape, axis = (outputs, *window.tolist(), channels), 0
    elif kind == "DEPTHWISE_CONV_2D":
        options["depth_multiplier"] = int(rng.integers(1, 3))
        outputs = channels * options["depth_multiplier"]
        weights_shape, axis = (1, *window.tolist(), outputs), 3
    else:
        options |= {"filter_height": int(window[0]), "filter_width": int(window[1])}
    if kind.endswith("CONV_2D"):
        values = rng.integers(-127, 128, weights_shape)
        inputs.append(builder.constant(values, "int8", scale=[0.02] * outputs, axis=axis))
        scale, zero_point = 0.2, -4
    target = builder.tensor(
        dtype, (1, *made.tolist(), outputs), scale=scale, zero_point=0 if zeros else zero_point
    )
    builder.operator(kind, inputs, target, **options)
    return builder.build([target])


def elementwise_model(kind: str, rng: np.random.Generator, dtype: str = "int8") -> bytes:
    builder = ModelBuilder()
    shape = tuple(int(n) for n in rng.integers(1, 6, 3))
    other = tuple(n if rng.random() < 0.6 else 1 for n in shape)
    source = builder.input(dtype, shape, scale=0.1, zero_point=0)
    second = builder.input(dtype, other, scale=0.1, zero_point=0)
    builder_output = builder.tensor(dtype, shape, scale=0.1, zero_point=0)
    inputs = [source] if kind in ONE_INPUT else [source, second]
    if kind == "SOFTMAX":
        fixed = {"scale": 1 / 32768} if dtype == "int16" else {"scale": 1 / 256, "zero_point": -128}
        builder_output = builder.tensor(dtype, shape, **fixed)
        builder.operator(kind, inputs, builder_output, beta=1.0)
    else:
        builder.operator(kind, inputs, builder_output)
    return builder.build([builder_output])


def overlapped(plan: Plan, closer: int = 0) -> Plan | None:
    """The plan of one layer with its output as far over its input as allowed, plus `closer` bytes.

    None where the kernel allows no overlap.
    """
    (layer,) = plan.layers
    assert layer.call is not None
    allowed = overlaps(layer.operator, plan.graph, layer.call)
    if not allowed:
        return None
    first, *others = (tensor for tensor in plan.memory.tensors if tensor in plan.graph.inputs)
    overlap = allowed[0]
    assert overlap.input == first
    distance = overlap.lead - closer
    offsets = {first: max(0, distance), overlap.output: max(0, -distance)}
    end = max(offset + plan.graph.tensors[tensor].bytes for tensor, offset in offsets.items())
    for tensor in others:
        offsets[tensor] = end
        end += plan.graph.tensors[tensor].bytes
    scratch = {}
    for index, old in plan.memory.scratch.items():
        end = -(-end // 16) * 16
        scratch[index] = Allocation(end, old.bytes)
        end += old.bytes
    tensors = {t: Allocation(o, plan.graph.tensors[t].bytes) for t, o in sorted(offsets.items())}
    memory = replace(plan.memory, arena_bytes=end, alignment=1, tensors=tensors, scratch=scratch)
    return replace(plan, memory=memory)


def is_right(model: bytes, plan: Plan, rng: np.random.Generator, sanitize: bool = False) -> bool:
    inputs = random_inputs(plan.graph, rng)
    ((outputs, _),) = run_generated(plan, [inputs], sanitize=sanitize)
    return bool(np.array_equal(outputs[0], TflmReference(model, "case").run(inputs)[0]))


WINDOWS = ["CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"]
ELEMENTWISE = ["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "RELU", "RELU6", "SOFTMAX"]


ONE_INPUT = {"RELU", "RELU6", "SOFTMAX"}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", WINDOWS + ELEMENTWISE)
def test_an_output_as_far_over_its_input_as_allowed_is_right(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = window_model(kind, rng) if kind in WINDOWS else elementwise_model(kind, rng)
    plan = overlapped(compile_graph(parse_model(model, "case"), Target(CORE)))
    assert plan is not None
    assert is_right(model, plan, rng, sanitize=seed == 0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", WINDOWS + ELEMENTWISE)
def test_an_int16_output_as_far_over_its_input_as_allowed_is_right(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    make = window_model if kind in WINDOWS else elementwise_model
    model = make(kind, rng, "int16")
    plan = overlapped(compile_graph(parse_model(model, "case"), Target(CORE)))
    assert plan is not None
    assert is_right(model, plan, rng, sanitize=seed == 0)


def test_one_pixel_further_is_wrong_for_a_convolution_of_int16() -> None:
    wrong = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        model = window_model("CONV_2D", rng, "int16")
        plan = compile_graph(parse_model(model, "case"), Target(CORE))
        too_close = overlapped(plan, closer=2 * plan.graph.tensors[plan.graph.outputs[0]].shape[-1])
        assert too_close is not None
        wrong += not is_right(model, too_close, rng)
    assert wrong > 0


M55 = load_board("qemu-m55").core


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_outputs_of_vector_kernels_over_their_inputs_are_right(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = window_model(kind, rng)
    plan = overlapped(compile_graph(parse_model(model, "case"), Target(M55)))
    assert plan is not None
    assert is_right(model, plan, rng, sanitize=seed == 0)


def pointwise_model(rng: np.random.Generator) -> bytes:
    """A convolution 1x1 of 3 to 8 channels, to more or fewer."""
    builder = ModelBuilder()
    inputs, outputs = (int(n) for n in rng.integers(3, 9, 2))
    shape = (1, *(int(n) for n in rng.integers(2, 7, 2)))
    source = builder.input("int8", (*shape, inputs), scale=0.05, zero_point=3)
    values = rng.integers(-127, 128, (outputs, 1, 1, inputs))
    weights = builder.constant(values, "int8", scale=[0.02] * outputs, axis=0)
    target = builder.tensor("int8", (*shape, outputs), scale=0.2, zero_point=-4)
    options = {"padding": "VALID", "stride_h": 1, "stride_w": 1}
    builder.operator("CONV_2D", [source, weights], target, **options)
    return builder.build([target])


@pytest.mark.parametrize("seed", range(6))
def test_pixels_of_vector_kernels_over_their_inputs_are_right(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = pointwise_model(rng)
    plan = overlapped(compile_graph(parse_model(model, "case"), Target(M55)))
    assert plan is not None
    assert [layer.call.kernel for layer in plan.layers if layer.call] == [
        "pointwise_conv_2d_s8_mve"
    ]
    assert is_right(model, plan, rng, sanitize=seed == 0)


@pytest.mark.parametrize("kind", ["rows", "pixels"])
def test_a_row_or_some_pixels_further_is_wrong_for_vector_kernels(kind: str) -> None:
    wrong = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        model = window_model("DEPTHWISE_CONV_2D", rng) if kind == "rows" else pointwise_model(rng)
        plan = compile_graph(parse_model(model, "case"), Target(M55))
        _, height, width, channels = plan.graph.tensors[plan.graph.outputs[0]].shape
        closer = 2 * width * channels if kind == "rows" else height * width * channels // 2
        too_close = overlapped(plan, closer=closer)
        wrong += too_close is not None and not is_right(model, too_close, rng)
    assert wrong > 0


def test_one_byte_further_is_wrong_for_a_convolution_pixel_by_pixel() -> None:
    # Without this the tests above might pass with rules that are far too careful to be tested.
    wrong = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        model = window_model("CONV_2D", rng)
        plan = compile_graph(parse_model(model, "case"), Target(CORE))
        too_close = overlapped(plan, closer=plan.graph.tensors[plan.graph.outputs[0]].shape[-1])
        assert too_close is not None
        wrong += not is_right(model, too_close, rng)
    assert wrong > 0


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("kws_ref_model.tflite", 11_000),
        ("vww_96_int8.tflite", 46_500),
        ("pretrainedResnet_quant.tflite", 35_500),
        ("ad01_int8.tflite", 768),
    ],
)
def test_the_arena_of_an_official_model_stays_small(name: str, most: int) -> None:
    plan = compile_graph(read_model(shared_model(name)), Target(load_board("qemu-m4").core))
    assert plan.memory.lower_bound <= plan.arena_bytes <= most


def test_overlapping_layers_of_a_real_model_answer_like_the_reference() -> None:
    path = shared_model("kws_ref_model.tflite")
    graph = read_model(path)
    plan = compile_graph(graph, Target(load_board("qemu-m4").core))
    shared_bytes = [
        layer
        for layer in plan.layers
        if layer.call
        and plan.memory.tensors[layer.operator.inputs[0]].offset
        < plan.memory.tensors[layer.operator.outputs[0]].offset
        + plan.memory.tensors[layer.operator.outputs[0]].bytes
        and plan.memory.tensors[layer.operator.outputs[0]].offset
        < plan.memory.tensors[layer.operator.inputs[0]].offset
        + plan.memory.tensors[layer.operator.inputs[0]].bytes
    ]
    assert len(shared_bytes) >= 8
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        program = build_host_program(model_sources(plan), Path(folder))
        reference = TflmReference(path.read_bytes(), "kws")
        batch = [random_inputs(graph, rng) for _ in range(20)]
        for inputs, (_, layers) in zip(
            batch, HostModel(program, graph).run_batch(batch), strict=True
        ):
            for tensor, expected in reference.run_layers(inputs).items():
                np.testing.assert_array_equal(layers[tensor].reshape(-1), expected.reshape(-1))
