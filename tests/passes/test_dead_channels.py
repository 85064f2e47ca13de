"""Dropping dead channels: the answer stays, and the channels that may go do go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from model_builder import ModelBuilder
from operator_strategies import seeds, sweep
from random_networks import random_model
from rewritten_case import assert_answers_alike, rewritten
from shared import shared_model

from tinyml_tool.graph.measure import total_macs, total_weight_bytes, weight_bytes
from tinyml_tool.graph.passes.drop_dead_channels import drop_dead_channels
from tinyml_tool.graph.passes.edit import with_tensors
from tinyml_tool.graph.passes.rewrite import Rewriting, rewrite
from tinyml_tool.graph.reader import parse_model, read_model
from tinyml_tool.graph.types import DType
from tinyml_tool.quantization.int4_weights import with_int4_weights

ONLY = {"drop-dead-channels"}


@sweep(6)
@given(seed=seeds())
def test_random_networks_with_dead_channels_answer_as_before(seed: int) -> None:
    model = random_model(seed, networks=12)
    rewriting = rewritten(model, ONLY)
    assert any(record.changes for record in rewriting.records), "no network had a channel to drop"
    assert_answers_alike(rewriting, model, seed)


@sweep(2)
@given(seed=seeds())
def test_random_networks_with_int4_weights_answer_as_before(seed: int) -> None:
    model = with_int4_weights(random_model(seed, networks=8), "m")
    graph = parse_model(model, "m")
    assert DType.INT4 in {tensor.dtype for tensor in graph.tensors}
    rewriting = rewritten(model, ONLY)
    assert any(record.changes for record in rewriting.records), "no network had a channel to drop"
    assert total_weight_bytes(rewriting.graph) < total_weight_bytes(graph)
    assert_answers_alike(rewriting, model, seed)


@sweep(2)
@given(seed=seeds())
def test_random_networks_of_int16_answer_as_before_after_all_passes(seed: int) -> None:
    model = random_model(seed, networks=8, dtype="int16")
    assert_answers_alike(rewritten(model), model, seed)


@pytest.mark.slow
@sweep(40)
@given(seed=seeds())
def test_many_random_networks_answer_as_before_after_all_passes(seed: int) -> None:
    model = random_model(seed, networks=25)
    assert_answers_alike(rewritten(model), model, seed)


def _bias_net(constant: int, padding: str, size: int = 5) -> bytes:
    """A pointwise layer with one zero filter, whose value is `constant`, then a 3x3 layer."""
    rng = np.random.default_rng(1)
    builder = ModelBuilder()
    x = builder.input("int8", (1, size, size, 4), scale=0.05, zero_point=3)
    weights = rng.integers(-127, 128, (4, 1, 1, 4), np.int8)
    weights[1] = 0
    options = {"stride_h": 1, "stride_w": 1, "fused_activation_function": "NONE"}
    bias = np.array([0, constant, 0, 0], np.int32)
    hidden = builder.tensor("int8", (1, size, size, 4), scale=0.05, zero_point=0)
    first = [x, builder.constant(weights, scale=1.0), builder.constant(bias)]
    builder.operator("CONV_2D", first, hidden, padding="VALID", **options)
    filters = rng.integers(-127, 128, (3, 3, 3, 4), np.int8)
    out = size if padding == "SAME" else size - 2
    y = builder.tensor("int8", (1, out, out, 3), scale=2.0, zero_point=-7)
    second = [hidden, builder.constant(filters, scale=0.02), -1]
    builder.operator("CONV_2D", second, y, padding=padding, **options)
    return builder.build([y])


def _channels(rewriting: Rewriting, layer: int) -> tuple[int, ...] | None:
    return rewriting.graph.tensor(rewriting.original.operators[layer].outputs[0]).channels


def test_a_constant_equal_to_the_zero_point_goes_even_under_padding() -> None:
    model = _bias_net(0, "SAME")
    rewriting = rewritten(model)
    assert _channels(rewriting, 0) == (0, 2, 3)
    assert_answers_alike(rewriting, model)


def test_another_constant_becomes_part_of_the_bias_where_there_is_no_padding() -> None:
    model = _bias_net(40, "VALID")
    rewriting = rewritten(model)
    assert _channels(rewriting, 0) == (0, 2, 3)
    assert_answers_alike(rewriting, model)


def test_another_constant_stays_where_padding_makes_the_border_differ() -> None:
    rewriting = rewritten(_bias_net(40, "SAME"))
    assert _channels(rewriting, 0) is None


def test_a_channel_that_nobody_reads_goes() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 8), scale=0.05, zero_point=3)
    rng = np.random.default_rng(2)
    hidden = builder.tensor("int8", (1, 6), scale=0.1, zero_point=-4)
    weights = builder.constant(rng.integers(1, 127, (6, 8), np.int8), scale=0.02)
    builder.operator("FULLY_CONNECTED", [x, weights, -1], hidden)
    last = rng.integers(1, 127, (2, 6), np.int8)
    last[:, [0, 4]] = 0
    y = builder.tensor("int8", (1, 2), scale=0.5, zero_point=0)
    builder.operator("FULLY_CONNECTED", [hidden, builder.constant(last, scale=0.02), -1], y)
    model = builder.build([y])
    rewriting = rewritten(model)
    assert _channels(rewriting, 0) == (1, 2, 3, 5)
    assert rewriting.foretold == ()
    assert_answers_alike(rewriting, model)


@pytest.mark.parametrize("last", ["AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN"])
def test_constants_that_differ_at_the_border_are_pooled_as_the_kernel_does(last: str) -> None:
    """40 dead channels, padded by a depthwise layer, then one value of each: many are halves."""
    rng = np.random.default_rng(5)
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4, 1, 2), scale=0.05, zero_point=3)
    step = {"stride_h": 1, "stride_w": 1, "fused_activation_function": "NONE"}
    weights = np.zeros((41, 1, 1, 2), np.int8)
    weights[0] = 9
    bias = builder.constant(rng.integers(-128, 128, 41), "int32")
    hidden = builder.tensor("int8", (1, 4, 1, 41), scale=0.05, zero_point=0)
    filters = builder.constant(weights, scale=1.0)
    builder.operator("CONV_2D", [x, filters, bias], hidden, padding="VALID", **step)
    taps = builder.constant(rng.integers(1, 9, (1, 3, 1, 41), np.int8), scale=0.1)
    zeros = builder.constant(np.zeros(41, np.int32))
    deep = builder.tensor("int8", (1, 4, 1, 41), scale=0.05, zero_point=0)
    builder.operator(
        "DEPTHWISE_CONV_2D", [hidden, taps, zeros], deep, padding="SAME", depth_multiplier=1, **step
    )
    pooled = builder.tensor("int8", (1, 1, 1, 41), scale=0.05, zero_point=0)
    if last == "MEAN":
        axes = builder.constant(np.array([1, 2], np.int32))
        builder.operator("MEAN", [deep, axes], pooled, keep_dims=True)
    else:
        window = {"filter_height": 5, "filter_width": 1, "padding": "SAME"}
        builder.operator(last, [deep], pooled, **window, **{**step, "stride_h": 4})
    y = builder.tensor("int8", (1, 1, 1, 3), scale=2.0, zero_point=0)
    dense = builder.constant(rng.integers(-127, 128, (3, 1, 1, 41), np.int8), scale=0.02)
    builder.operator("CONV_2D", [pooled, dense, -1], y, padding="VALID", **step)
    model = builder.build([y])
    rewriting = rewritten(model)
    assert _channels(rewriting, 2) == (0,)
    assert_answers_alike(rewriting, model)


def test_a_depthwise_layer_loses_all_that_it_makes_of_a_dead_channel() -> None:
    rng = np.random.default_rng(7)
    builder = ModelBuilder()
    x = builder.input("int8", (1, 3, 3, 2), scale=0.05, zero_point=3)
    step = {"stride_h": 1, "stride_w": 1, "fused_activation_function": "NONE"}
    weights = np.full((3, 1, 1, 2), 5, np.int8)
    weights[1] = 0
    hidden = builder.tensor("int8", (1, 3, 3, 3), scale=0.05, zero_point=0)
    filters = builder.constant(weights, scale=1.0)
    builder.operator("CONV_2D", [x, filters, -1], hidden, padding="VALID", **step)
    taps = builder.constant(rng.integers(1, 9, (1, 3, 3, 6), np.int8), scale=0.1)
    bias = builder.constant(np.arange(6, dtype=np.int32))
    deep = builder.tensor("int8", (1, 3, 3, 6), scale=0.05, zero_point=0)
    builder.operator(
        "DEPTHWISE_CONV_2D", [hidden, taps, bias], deep, padding="SAME", depth_multiplier=2, **step
    )
    y = builder.tensor("int8", (1, 3, 3, 3), scale=2.0, zero_point=0)
    dense = builder.constant(rng.integers(1, 127, (3, 1, 1, 6), np.int8), scale=0.02)
    builder.operator("CONV_2D", [deep, dense, -1], y, padding="VALID", **step)
    model = builder.build([y])
    rewriting = rewritten(model)
    assert _channels(rewriting, 1) == (0, 1, 4, 5)
    assert_answers_alike(rewriting, model)


def test_sums_of_two_constants_are_added_as_the_kernel_does() -> None:
    rng = np.random.default_rng(6)
    builder = ModelBuilder()
    x = builder.input("int8", (1, 2), scale=0.05, zero_point=3)
    branches = []
    for scale in (0.05, 0.02):
        weights = np.zeros((41, 2), np.int8)
        weights[0] = 9
        scales = {"scale": [scale / 0.05] * 41, "axis": 0}
        bias = builder.constant(rng.integers(-128, 128, 41), "int32", scale=[scale] * 41, axis=0)
        out = builder.tensor("int8", (1, 41), scale=scale, zero_point=0)
        builder.operator("FULLY_CONNECTED", [x, builder.constant(weights, **scales), bias], out)
        branches.append(out)
    both = builder.tensor("int8", (1, 41), scale=0.06, zero_point=4)
    builder.operator("ADD", branches, both, fused_activation_function="NONE")
    y = builder.tensor("int8", (1, 3), scale=2.0, zero_point=0)
    dense = builder.constant(rng.integers(-127, 128, (3, 41), np.int8), scale=0.02)
    builder.operator("FULLY_CONNECTED", [both, dense, -1], y)
    model = builder.build([y])
    rewriting = rewritten(model)
    assert _channels(rewriting, 2) == (0,)
    assert_answers_alike(rewriting, model)


def test_channels_are_named_as_in_the_model_however_often_a_tensor_is_narrowed() -> None:
    once = rewritten(_bias_net(0, "SAME")).graph
    weights = once.tensor(once.operators[0].inputs[1])
    assert weights.data is not None
    data = weights.data.copy()
    data[1] = 0  # the second of channels 0, 2, 3
    twice = drop_dead_channels(with_tensors(once, {weights.index: replace(weights, data=data)}))
    assert twice.graph.tensor(once.operators[0].outputs[0]).channels == (0, 3)
    assert [known.channels for known in twice.foretold] == [(2,)]


def test_outputs_of_the_model_stay_whole() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.05, zero_point=3)
    y = builder.tensor("int8", (1, 3), scale=0.5, zero_point=0)
    zeros = builder.constant(np.zeros((3, 4), np.int8), scale=0.02)
    builder.operator("FULLY_CONNECTED", [x, zeros, -1], y)
    assert not rewritten(builder.build([y])).records[-1].changes


def test_a_layer_whose_filters_are_all_zero_keeps_one_channel() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.05, zero_point=3)
    hidden = builder.tensor("int8", (1, 5), scale=0.5, zero_point=0)
    zeros = builder.constant(np.zeros((5, 4), np.int8), scale=0.02)
    bias = builder.constant(np.arange(5) * 3000, "int32", scale=0.05 * 0.02)
    builder.operator("FULLY_CONNECTED", [x, zeros, bias], hidden)
    y = builder.tensor("int8", (1, 2), scale=0.5, zero_point=0)
    ones = builder.constant(np.ones((2, 5), np.int8), scale=0.5)
    builder.operator("FULLY_CONNECTED", [hidden, ones, -1], y)
    model = builder.build([y])
    rewriting = rewritten(model)
    assert _channels(rewriting, 0) == (0,)
    assert_answers_alike(rewriting, model)


def test_a_tensor_is_not_narrowed_for_one_channel_of_many() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.05, zero_point=3)
    weights = np.ones((40, 4), np.int8)
    weights[7] = 0
    hidden = builder.tensor("int8", (1, 40), scale=0.5, zero_point=0)
    builder.operator("FULLY_CONNECTED", [x, builder.constant(weights, scale=0.02), -1], hidden)
    y = builder.tensor("int8", (1, 2), scale=0.5, zero_point=0)
    ones = builder.constant(np.ones((2, 40), np.int8), scale=0.5)
    builder.operator("FULLY_CONNECTED", [hidden, ones, -1], y)
    assert _channels(rewritten(builder.build([y])), 0) is None


def test_visual_wake_words_loses_half_its_work_and_most_of_its_weights() -> None:
    graph = read_model(shared_model("vww_96_int8.tflite"))
    after = rewrite(graph).graph
    assert total_macs(after) == 3_733_073
    assert sum(weight_bytes(op, after) for op in after.operators) == 33_374


@pytest.mark.parametrize("name", ["kws_ref_model", "pretrainedResnet_quant", "ad01_int8"])
def test_models_without_dead_channels_keep_their_work(name: str) -> None:
    graph = read_model(shared_model(f"{name}.tflite"))
    assert total_macs(rewrite(graph).graph) == total_macs(graph)


def test_visual_wake_words_answers_as_before() -> None:
    path = shared_model("vww_96_int8.tflite")
    parity = assert_answers_alike(rewrite(read_model(path)), path.read_bytes())
    assert parity.values_foretold > 0
