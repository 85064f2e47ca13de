"""Layers in bands of rows: the answer stays, the arena gets smaller, and one is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from model_builder import ModelBuilder
from operator_strategies import seeds, sweep
from rewritten_case import CORE, assert_answers_alike, rewritten
from shared import shared_model

from tinyml_tool.boards import Core
from tinyml_tool.compiler.compile import compile_rewritten
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.row_bands import bands
from tinyml_tool.compiler.target import Target
from tinyml_tool.config import Optimize
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.graph.passes.rewrite import rewrite
from tinyml_tool.graph.passes.split_rows import SPLIT_ROWS
from tinyml_tool.graph.reader import parse_model, read_model
from tinyml_tool.graph.windows import Window
from tinyml_tool.verify.pass_summary import PassSummary

PLAIN = Core(name="cortex-m0", fpu="none", dsp=False)


class _Chain:
    """A chain of random convolutions, one reading the other."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._builder = ModelBuilder()
        self._zero = int(self._rng.choice([-128, 0, 7, 127]))

    def model(self) -> bytes:
        rng = self._rng
        shape = (int(rng.integers(9, 30)), int(rng.integers(5, 14)), int(rng.integers(1, 5)))
        value = self._builder.input("int8", (1, *shape), scale=0.05, zero_point=self._zero)
        value, shape = self._layer(value, shape, int(rng.integers(12, 25)), stride=1)
        for _ in range(int(rng.integers(0, 2))):
            value, shape = self._layer(value, shape, 0, stride=int(rng.integers(1, 3)))
        stride = int(rng.integers(2, 4))
        value, shape = self._layer(value, shape, int(rng.choice([0, 3])), stride=stride)
        return self._builder.build([value])

    def _layer(
        self, value: int, shape: tuple[int, int, int], channels: int, stride: int
    ) -> tuple[int, tuple[int, int, int]]:
        """A convolution to `channels`, or a depthwise one where that is 0."""
        rng = self._rng
        taps = [int(rng.integers(1, min(4, size) + 1)) for size in shape[:2]]
        if rng.random() < 0.4 and min(shape[:2]) > 2:
            taps = [3, 3]
        dilations = [int(rng.integers(1, 3)) if (n - 1) * 2 < 5 and stride == 1 else 1
                     for n in taps]  # fmt: skip
        padding = str(rng.choice(["SAME", "SAME", "VALID"]))
        reach = [(n - 1) * d + 1 for n, d in zip(taps, dilations, strict=True)]
        if any(r > size for r, size in zip(reach, shape, strict=False)):
            padding = "SAME"
        rows, columns = (
            -(-(size if padding == "SAME" else size - r + 1) // stride)
            for size, r in zip(shape, reach, strict=False)
        )
        kind = "CONV_2D" if channels else "DEPTHWISE_CONV_2D"
        result = (rows, columns, channels or shape[2])
        filters = (channels, *taps, shape[2]) if channels else (1, *taps, shape[2])
        axis = 0 if channels else 3
        scales = [float(s) for s in rng.uniform(0.002, 0.01, result[2]).astype(np.float32)]
        bias = rng.integers(-3000, 3000, result[2], np.int32)
        zero = int(rng.choice([-128, 0, -5, 127]))
        target = self._builder.tensor("int8", (1, *result), scale=0.05, zero_point=zero)
        operands = [
            value,
            self._builder.constant(
                rng.integers(-127, 128, filters, np.int8), scale=scales, axis=axis
            ),
            self._builder.constant(bias, scale=[0.05 * s for s in scales], axis=0),
        ]
        more = {} if channels else {"depth_multiplier": 1}
        self._builder.operator(
            kind,
            operands,
            target,
            padding=padding,
            stride_h=stride,
            stride_w=stride,
            dilation_h_factor=dilations[0],
            dilation_w_factor=dilations[1],
            fused_activation_function=str(rng.choice(["NONE", "RELU"])),
            **more,
        )
        return target, result


def _split(model: bytes, core: Core, optimize: Optimize = "size") -> Plan:
    return compile_rewritten(rewritten(model, {SPLIT_ROWS}), Target(core, optimize))


@sweep(24)
@given(seed=seeds())
def test_random_chains_in_bands_answer_like_the_reference(seed: int) -> None:
    model = _Chain(seed).model()
    core = CORE if seed % 2 else PLAIN
    assert_answers_alike(
        rewritten(model, {SPLIT_ROWS}), model, seed, core=core, sanitize=seed % 4 < 2
    )


@pytest.mark.slow
@sweep(400)
@given(seed=seeds())
def test_many_random_chains_in_bands_answer_like_the_reference(seed: int) -> None:
    model = _Chain(seed).model()
    core = CORE if seed % 2 else PLAIN
    assert_answers_alike(
        rewritten(model, {SPLIT_ROWS}), model, seed, core=core, sanitize=seed % 4 < 2
    )


def test_most_random_chains_are_split_and_each_split_shrinks_the_arena() -> None:
    split = 0
    for seed in range(30):
        model = _Chain(seed).model()
        whole = compile_rewritten(rewritten(model, ()), Target(PLAIN, "size"))
        plan = _split(model, PLAIN)
        stages = [layer.stage for layer in plan.layers if layer.stage]
        split += bool(stages)
        assert plan.arena_bytes < whole.arena_bytes if stages else not plan.rewriting.in_bands
    assert split > 15


@pytest.mark.parametrize("padding", [0, 1, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("height", [1, 2, 5])
def test_bands_make_every_row_once_from_all_the_rows_that_its_window_meets(
    padding: int, stride: int, height: int
) -> None:
    inner = Window(17, 3, 1, 2, 13, 0)
    last = Window(13, 4, stride, 1, (13 + 2 * padding - 4) // stride + 1, padding)
    found = bands((inner, last), height)
    assert found is not None
    made = [row for band in found for row in range(band[-1].output_first, band[-1].output_end)]
    assert made == list(range(last.output))
    for first, second in found:
        assert (first.output_first, first.output_count) == (second.input_first, second.input_count)
        for window, rows in ((inner, first), (last, second)):
            met = window.indices()[rows.output_first : rows.output_end]
            assert met.max() < rows.input_end
            assert met[met >= 0].min() == rows.input_first
            assert rows.input_first - rows.pad == rows.output_first * window.stride - window.pad


def test_a_band_that_meets_nothing_but_padding_is_refused() -> None:
    inner, last = Window(6, 1, 1, 1, 6, 0), Window(6, 2, 1, 1, 10, 4)
    assert bands((inner, last), 1) is None


def test_visual_wake_words_needs_no_whole_tensor_of_layer_2() -> None:
    rewriting = rewrite(read_model(shared_model("vww_96_int8.tflite")))
    plan = compile_rewritten(rewriting, Target(CORE, "balanced"))
    assert plan.arena_bytes <= 28_200
    assert plan.rewriting is not None
    assert plan.rewriting.in_bands == (2,)
    told = PassSummary.of(plan.rewriting).in_bands
    assert [change.layer for change in told] == [2]
    assert "with layer 3: compared there" in told[0].text
    tensor = plan.graph.operators[2].outputs[0]
    assert tensor not in plan.memory.tensors
    assert plan.rewriting.fingerprint != rewriting.fingerprint


def test_the_c_of_a_stage_has_each_constant_once_and_few_functions() -> None:
    rewriting = rewrite(read_model(shared_model("vww_96_int8.tflite")))
    source = model_sources(compile_rewritten(rewriting, Target(CORE, "balanced")))
    text = source["lib/model/model.c"]
    assert text.count("layer_2_filters[") == 1
    assert text.count("layer_3_weights[") == 1
    assert text.count("LAYER void layer_2_rows_") == 2
    assert "  /* Rows 0 to 3 of 24. */\n  layer_2_rows_0(at(TENSOR_" in text


@pytest.mark.parametrize("switch", ["speed", "no pass"])
def test_layers_stay_whole_for_speed_and_where_the_pass_is_off(switch: str) -> None:
    graph = read_model(shared_model("vww_96_int8.tflite"))
    off = switch == "no pass"
    rewriting = rewrite(graph, [SPLIT_ROWS] if off else ())
    plan = compile_rewritten(rewriting, Target(CORE, "balanced" if off else "speed"))
    assert not any(layer.stage for layer in plan.layers)
    assert plan.rewriting is not None
    assert not plan.rewriting.in_bands


def test_a_tensor_that_others_read_stays_whole() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 24, 8, 2), scale=0.05)
    hidden = builder.tensor("int8", (1, 24, 8, 16), scale=0.05)
    rng = np.random.default_rng(0)
    options = {"stride_h": 1, "stride_w": 1, "padding": "SAME", "dilation_h_factor": 1,
               "dilation_w_factor": 1, "fused_activation_function": "NONE"}  # fmt: skip
    weights = builder.constant(rng.integers(-9, 9, (16, 1, 1, 2), np.int8), scale=0.01)
    builder.operator("CONV_2D", [x, weights, -1], hidden, **options)
    y = builder.tensor("int8", (1, 12, 4, 2), scale=0.05)
    weights = builder.constant(rng.integers(-9, 9, (2, 3, 3, 16), np.int8), scale=0.01)
    builder.operator(
        "CONV_2D", [hidden, weights, -1], y, **{**options, "stride_h": 2, "stride_w": 2}
    )
    assert _split(builder.build([y]), PLAIN).rewriting.in_bands == (0,)
    assert _split(builder.build([y, hidden]), PLAIN).rewriting.in_bands == ()


def test_parsing_and_splitting_twice_gives_the_same_plan() -> None:
    model = shared_model("vww_96_int8.tflite").read_bytes()
    plans = [
        compile_rewritten(rewrite(parse_model(model, "vww")), Target(CORE, "size")) for _ in "ab"
    ]
    assert model_sources(plans[0]) == model_sources(plans[1])
