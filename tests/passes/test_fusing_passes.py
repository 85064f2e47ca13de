"""Passes that fold, fuse or drop whole layers: what they take, what they leave, the same answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import CORE
from model_builder import ModelBuilder
from operator_strategies import Affine, activations, affines, seeds, sweep
from rewritten_case import assert_answers_alike, rewritten

from tinyml_tool.compiler.compile import compile_rewritten
from tinyml_tool.compiler.target import Target
from tinyml_tool.errors import UnsupportedModelError
from tinyml_tool.graph.options import Activation, Conv2DOptions, Padding
from tinyml_tool.graph.passes.rewrite import Rewriting

STEP = {"stride_h": 1, "stride_w": 1}


def kinds(rewriting: Rewriting) -> list[str]:
    return [operator.kind for operator in rewriting.graph.operators]


def convolution(
    builder: ModelBuilder, source: int, channels: int, target: int, **options: Any
) -> int:
    """A 3x3 convolution to 4 channels without bias."""
    weights = np.random.default_rng(3).integers(-127, 128, (4, 3, 3, channels), np.int8)
    given = {"padding": "SAME", **STEP, "fused_activation_function": "NONE", **options}
    inputs = [source, builder.constant(weights, scale=0.01), -1]
    return builder.operator("CONV_2D", inputs, target, **given)


def followed(kind: str, before: Affine, after: Affine, activation: str = "NONE") -> bytes:
    """A convolution and a bytewise layer."""
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4, 4, 2), scale=0.05, zero_point=3)
    hidden = builder.tensor("int8", (1, 4, 4, 4), **before.arguments())
    convolution(builder, x, 2, hidden, fused_activation_function=activation)
    y = builder.tensor("int8", (1, 4, 4, 4), **after.arguments())
    return builder.build([builder.operator(kind, [hidden], y)])


@pytest.mark.parametrize(
    ("kind", "activation"), [("RELU", Activation.RELU), ("RELU6", Activation.RELU6)]
)
def test_a_relu_of_the_same_quantization_becomes_the_layers_activation(
    kind: str, activation: Activation
) -> None:
    affine = Affine(0.05, -20)
    model = followed(kind, affine, affine)
    rewriting = rewritten(model, {"fold-relu"})
    options = rewriting.graph.operators[0].options
    assert kinds(rewriting) == ["CONV_2D"]
    assert isinstance(options, Conv2DOptions)
    assert options.activation is activation
    assert_answers_alike(rewriting, model)


def test_the_fused_layer_is_compared_in_the_place_of_the_relu() -> None:
    affine = Affine(0.05, -20)
    rewriting = rewritten(followed("RELU", affine, affine))
    assert [operator.origin for operator in rewriting.graph.operators] == [1]
    assert [(c.layer, c.kind) for c in rewriting.removed] == [(0, "CONV_2D")]
    assert "layer 1 RELU" in rewriting.removed[0].text


def test_a_relu_of_another_quantization_stays() -> None:
    rewriting = rewritten(followed("RELU", Affine(0.05, -20), Affine(0.04, -20)))
    assert kinds(rewriting) == ["CONV_2D", "RELU"]


def test_a_relu6_that_clamps_into_another_quantization_stays() -> None:
    model = followed("RELU6", Affine(0.05, -20), Affine(0.1, 0))
    assert kinds(rewritten(model)) == ["CONV_2D", "RELU6"]


def test_a_relu_that_somebody_else_reads_around_stays() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4, 4, 2), scale=0.05, zero_point=3)
    affine = {"scale": 0.05, "zero_point": -20}
    hidden = convolution(builder, x, 2, builder.tensor("int8", (1, 4, 4, 4), **affine))
    y = builder.operator("RELU", [hidden], builder.tensor("int8", (1, 4, 4, 4), **affine))
    assert kinds(rewritten(builder.build([y, hidden]))) == ["CONV_2D", "RELU"]


@sweep(25)
@given(
    kind=st.sampled_from(["RELU", "RELU6"]),
    affine=affines(0.02, 0.2),
    activation=activations(),
    seed=seeds(),
)
def test_whatever_is_fused_answers_as_before(
    kind: str, affine: Affine, activation: str, seed: int
) -> None:
    model = followed(kind, affine, affine, activation)
    assert_answers_alike(rewritten(model), model, seed)


def chain(*affines: Affine) -> bytes:
    """QUANTIZE from one to the next."""
    builder = ModelBuilder()
    value = builder.input("int8", (1, 256), **affines[0].arguments())
    for affine in affines[1:]:
        target = builder.tensor("int8", (1, 256), **affine.arguments())
        value = builder.operator("QUANTIZE", [value], target)
    return builder.build([value])


def test_a_quantize_that_changes_nothing_goes() -> None:
    one, other = Affine(0.5, 3), Affine(0.25, 3)
    model = chain(one, other, other)
    rewriting = rewritten(model)
    assert kinds(rewriting) == ["QUANTIZE"]
    assert_answers_alike(rewriting, model)


def test_two_quantizes_become_one_where_all_256_values_agree() -> None:
    model = chain(Affine(0.5, 0), Affine(1.0, 5), Affine(2.0, -9))
    rewriting = rewritten(model)
    # Halving twice rounds twice: not the same. Halving and shifting is.
    assert kinds(rewriting) == ["QUANTIZE", "QUANTIZE"]
    model = chain(Affine(0.5, 0), Affine(1.0, 5), Affine(1.0, -9))
    rewriting = rewritten(model)
    assert kinds(rewriting) == ["QUANTIZE"]
    assert_answers_alike(rewriting, model)


@sweep(25)
@given(chain_of=st.lists(affines(0.1, 1.0), min_size=3, max_size=4))
def test_chains_of_quantizes_answer_as_before(chain_of: list[Affine]) -> None:
    model = chain(*chain_of)
    assert_answers_alike(rewritten(model), model)


def padded(margins: list[list[int]], stride: int, value: int | None = None, size: int = 8) -> bytes:
    """PAD or PADV2, then a convolution without padding; zero point 7."""
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}
    x = builder.input("int8", (1, size, size, 2), **affine)
    height, width = (size + sum(margins[axis]) for axis in (1, 2))
    wide = builder.tensor("int8", (1, height, width, 2), **affine)
    inputs = [x, builder.constant(np.array(margins, np.int32))]
    if value is not None:
        inputs.append(builder.constant(np.array(value, np.int8), **affine))
    builder.operator("PAD" if value is None else "PADV2", inputs, wide)
    shape = (1, (height - 3) // stride + 1, (width - 3) // stride + 1, 4)
    y = builder.tensor("int8", shape, scale=0.5, zero_point=-3)
    convolution(builder, wide, 2, y, padding="VALID", stride_h=stride, stride_w=stride)
    return builder.build([y])


ALL_AROUND = [[0, 0], [1, 1], [1, 1], [0, 0]]
BEHIND = [[0, 0], [0, 1], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("margins", "stride", "value"),
    [(ALL_AROUND, 1, None), (BEHIND, 2, None), (BEHIND, 2, 7), (ALL_AROUND, 1, 7)],
)
def test_padding_that_is_that_of_same_becomes_part_of_the_convolution(
    margins: list[list[int]], stride: int, value: int | None
) -> None:
    model = padded(margins, stride, value)
    rewriting = rewritten(model)
    assert kinds(rewriting) == ["CONV_2D"]
    options = rewriting.graph.operators[0].options
    assert isinstance(options, Conv2DOptions)
    assert options.padding is Padding.SAME
    assert [(c.layer, c.text) for c in rewriting.removed] == [(0, "padding of layer 1 CONV_2D")]
    assert_answers_alike(rewriting, model)


@pytest.mark.parametrize(
    ("margins", "stride", "size"),
    [
        (ALL_AROUND, 2, 8),  # as PyTorch pads; SAME starts one element later
        ([[0, 0], [1, 1], [2, 0], [0, 0]], 1, 8),
        ([[0, 0], [1, 2], [1, 1], [0, 0]], 1, 8),  # one position more
        ([[0, 0], [1, 1], [2, 0], [0, 0]], 1, 2),  # the window is larger than the input
    ],
)
def test_other_padding_is_told_to_the_convolution_outright(
    margins: list[list[int]], stride: int, size: int
) -> None:
    model = padded(margins, stride, size=size)
    rewriting = rewritten(model)
    options = rewriting.graph.operators[0].options
    assert kinds(rewriting) == ["CONV_2D"]
    assert isinstance(options, Conv2DOptions)
    assert options.pad_before == (margins[1][0], margins[2][0])
    assert_answers_alike(rewriting, model)


@pytest.mark.parametrize(
    ("margins", "value"),
    [
        (ALL_AROUND, 6),  # not the zero point
        ([[0, 0], [3, 0], [0, 0], [0, 0]], None),  # the first window meets padding alone
        ([[0, 0], [0, 0], [0, 3], [0, 0]], None),  # the last one does
    ],
)
def test_padding_that_no_convolution_has_stays_a_layer(
    margins: list[list[int]], value: int | None
) -> None:
    model = padded(margins, 1, value)
    rewriting = rewritten(model)
    assert len(kinds(rewriting)) == 2
    assert_answers_alike(rewriting, model)


def test_a_network_behind_a_folded_pad_loses_its_dead_channels() -> None:
    """Constants are worked out with the padding that the convolution was told."""
    builder = ModelBuilder()
    x = builder.input("int8", (1, 6, 6, 2), scale=0.05, zero_point=7)
    weights = np.full((33, 1, 1, 2), 5, np.int8)
    weights[1:] = 0
    rng = np.random.default_rng(4)
    bias = builder.constant(rng.integers(-128, 128, 33), "int32")
    affine = {"scale": 0.05, "zero_point": 7}
    step = {"stride_h": 1, "stride_w": 1, "fused_activation_function": "NONE"}
    hidden = builder.tensor("int8", (1, 6, 6, 33), **affine)
    inputs = [x, builder.constant(weights, scale=1.0), bias]
    builder.operator("CONV_2D", inputs, hidden, padding="VALID", **step)
    wide = builder.tensor("int8", (1, 8, 8, 33), **affine)
    builder.operator("PAD", [hidden, builder.constant(np.array(ALL_AROUND, np.int32))], wide)
    taps = builder.constant(rng.integers(1, 9, (1, 3, 3, 33), np.int8), scale=0.02)
    zeros = builder.constant(np.zeros(33, np.int32))
    deep = builder.tensor("int8", (1, 3, 3, 33), **affine)
    wider = {**step, "stride_h": 2, "stride_w": 2, "padding": "VALID", "depth_multiplier": 1}
    builder.operator("DEPTHWISE_CONV_2D", [wide, taps, zeros], deep, **wider)
    pooled = builder.tensor("int8", (1, 33), scale=0.05, zero_point=7)
    axes = builder.constant(np.array([1, 2], np.int32))
    builder.operator("MEAN", [deep, axes], pooled, keep_dims=False)
    dense = builder.constant(rng.integers(-127, 128, (3, 33), np.int8), scale=0.02)
    y = builder.tensor("int8", (1, 3), scale=2.0, zero_point=0)
    builder.operator("FULLY_CONNECTED", [pooled, dense, -1], y)
    model = builder.build([y])
    rewriting = rewritten(model)
    assert kinds(rewriting) == ["CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "FULLY_CONNECTED"]
    assert rewriting.graph.tensor(deep).channels == (0,)
    assert_answers_alike(rewriting, model)


def test_channels_that_are_padded_stay_a_layer() -> None:
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}
    x = builder.input("int8", (1, 8, 8, 1), **affine)
    margins = np.array([[0, 0], [1, 1], [1, 1], [0, 1]], np.int32)
    wide = builder.tensor("int8", (1, 10, 10, 2), **affine)
    builder.operator("PAD", [x, builder.constant(margins)], wide)
    y = builder.tensor("int8", (1, 8, 8, 4), scale=0.5, zero_point=-3)
    convolution(builder, wide, 2, y, padding="VALID")
    assert kinds(rewritten(builder.build([y]))) == ["PAD", "CONV_2D"]


def test_layers_that_do_nothing_go() -> None:
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}

    def tensor(*shape: int) -> int:
        return builder.tensor("int8", shape, **affine)

    x = builder.input("int8", (1, 4, 4, 2), **affine)
    zeros = builder.constant(np.zeros((4, 2), np.int32))
    order = builder.constant(np.arange(4, dtype=np.int32))
    shape = builder.constant(np.array([1, 4, 4, 2], np.int32))
    a = builder.operator("PAD", [x, zeros], tensor(1, 4, 4, 2))
    b = builder.operator("TRANSPOSE", [a, order], tensor(1, 4, 4, 2))
    c = builder.operator("RESHAPE", [b, shape], tensor(1, 4, 4, 2))
    ends = [builder.constant(np.array(v, np.int32)) for v in ([0] * 4, [1, 4, 4, 2], [1] * 4)]
    d = builder.operator("STRIDED_SLICE", [c, *ends], tensor(1, 4, 4, 2))
    y = convolution(builder, d, 2, builder.tensor("int8", (1, 4, 4, 4), scale=0.5, zero_point=1))
    model = builder.build([y])
    rewriting = rewritten(model)
    assert kinds(rewriting) == ["CONV_2D"]
    assert [change.layer for change in rewriting.removed] == [0, 1, 2, 3]
    assert_answers_alike(rewriting, model)


def test_a_slice_that_goes_backwards_stays() -> None:
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}
    x = builder.input("int8", (1, 4), **affine)
    ends = [builder.constant(np.array(v, np.int32)) for v in ([0, 3], [1, -5], [1, -1])]
    y = builder.tensor("int8", (1, 4), **affine)
    builder.operator("STRIDED_SLICE", [x, *ends], y)
    z = builder.tensor("int8", (1, 4), scale=1 / 256, zero_point=-128)
    builder.operator("LOGISTIC", [y], z)
    assert kinds(rewritten(builder.build([z]))) == ["STRIDED_SLICE", "LOGISTIC"]


def transposed(order: list[int]) -> tuple[bytes, Rewriting]:
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}
    shape = (1, 3, 1, 5)
    x = builder.input("int8", shape, **affine)
    permutation = builder.constant(np.array(order, np.int32))
    out = builder.tensor("int8", tuple(shape[axis] for axis in order), **affine)
    y = builder.operator("TRANSPOSE", [x, permutation], out)
    z = builder.tensor("int8", tuple(shape[axis] for axis in order), scale=1 / 256, zero_point=-128)
    builder.operator("LOGISTIC", [y], z)
    model = builder.build([z])
    return model, rewritten(model)


def test_a_transpose_of_axes_of_length_1_is_a_reshape() -> None:
    model, rewriting = transposed([0, 2, 1, 3])
    assert kinds(rewriting) == ["RESHAPE", "LOGISTIC"]
    assert_answers_alike(rewriting, model)


def test_a_transpose_that_moves_elements_stays() -> None:
    model, rewriting = transposed([0, 3, 2, 1])
    assert kinds(rewriting) == ["TRANSPOSE", "LOGISTIC"]
    assert_answers_alike(rewriting, model)


def test_a_reshape_of_a_reshape_is_one() -> None:
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}
    x = builder.input("int8", (1, 4, 6), **affine)
    first = builder.constant(np.array([1, 24], np.int32))
    second = builder.constant(np.array([1, 2, 2, 6], np.int32))
    flat = builder.operator("RESHAPE", [x, first], builder.tensor("int8", (1, 24), **affine))
    cube = builder.tensor("int8", (1, 2, 2, 6), **affine)
    builder.operator("RESHAPE", [flat, second], cube)
    y = builder.tensor("int8", (1, 2, 2, 4), scale=0.5, zero_point=0)
    convolution(builder, cube, 6, y)
    model = builder.build([y])
    rewriting = rewritten(model)
    assert kinds(rewriting) == ["RESHAPE", "CONV_2D"]
    assert_answers_alike(rewriting, model)


def test_a_layer_that_nobody_reads_goes_with_those_that_fed_it() -> None:
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}
    x = builder.input("int8", (1, 4, 4, 2), **affine)
    side = convolution(builder, x, 2, builder.tensor("int8", (1, 4, 4, 4), **affine))
    builder.operator("RELU", [side], builder.tensor("int8", (1, 4, 4, 4), **affine))
    y = convolution(builder, x, 2, builder.tensor("int8", (1, 4, 4, 4), **affine))
    model = builder.build([y])
    rewriting = rewritten(model, {"drop-unused-layers"})
    assert kinds(rewriting) == ["CONV_2D"]
    assert [change.layer for change in rewriting.removed] == [0, 1]
    assert_answers_alike(rewriting, model)


def open_batch() -> bytes:
    """What a converter leaves of Flatten with an open batch: SHAPE, STRIDED_SLICE, PACK."""
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}
    x = builder.input("int8", (1, 2, 3, 4), shape_signature=(-1, 2, 3, 4), **affine)
    shape = builder.operator("SHAPE", [x], builder.tensor("int32", (4,)))
    ends = [builder.constant(np.array([v], np.int32)) for v in (0, 1, 1)]
    batch = builder.tensor("int32", ())
    builder.operator("STRIDED_SLICE", [shape, *ends], batch, shrink_axis_mask=1)
    rest = builder.constant(np.array(24, np.int32))
    packed = builder.tensor("int32", (2,))
    builder.operator("PACK", [batch, rest], packed, values_count=2)
    flat = builder.tensor("int8", (1, 24), shape_signature=(-1, 24), **affine)
    builder.operator("RESHAPE", [x, packed], flat)
    weights = np.random.default_rng(0).integers(-127, 128, (3, 24), np.int8)
    y = builder.tensor("int8", (1, 3), shape_signature=(-1, 3), scale=0.5, zero_point=0)
    dense = builder.constant(weights, scale=0.02)
    builder.operator("FULLY_CONNECTED", [flat, dense, -1], y)
    return builder.build([y])


def test_an_open_batch_and_what_was_computed_from_it_become_constants() -> None:
    model = open_batch()
    rewriting = rewritten(model)
    assert kinds(rewriting) == ["RESHAPE", "FULLY_CONNECTED"]
    assert [change.kind for change in rewriting.removed] == ["SHAPE", "STRIDED_SLICE", "PACK"]
    assert_answers_alike(rewriting, model)


def test_a_constant_that_is_an_output_of_the_model_stays_a_layer() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.05, zero_point=7)
    shape = builder.operator("SHAPE", [x], builder.tensor("int32", (2,)))
    assert kinds(rewritten(builder.build([shape]))) == ["SHAPE"]


def test_a_reshape_that_gives_the_values_another_meaning_stays() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.05, zero_point=7)
    shape = builder.constant(np.array([1, 4], np.int32))
    other = builder.tensor("int8", (1, 4), scale=0.05, zero_point=8)
    builder.operator("RESHAPE", [x, shape], other)
    y = builder.operator(
        "LOGISTIC", [other], builder.tensor("int8", (1, 4), scale=1 / 256, zero_point=-128)
    )
    model = builder.build([y])
    rewriting = rewritten(model)
    assert kinds(rewriting) == ["RESHAPE", "LOGISTIC"]
    assert_answers_alike(rewriting, model)


def test_errors_name_layers_by_their_place_in_the_model() -> None:
    builder = ModelBuilder()
    affine = {"scale": 0.05, "zero_point": 7}
    x = builder.input("int8", (1, 4), **affine)
    shape = builder.constant(np.array([1, 4], np.int32))
    same = builder.operator("RESHAPE", [x, shape], builder.tensor("int8", (1, 4), **affine))
    y = builder.operator("CEIL", [same], builder.tensor("int8", (1, 4), **affine))
    rewriting = rewritten(builder.build([y]))
    with pytest.raises(UnsupportedModelError, match="layer 1 CEIL"):
        compile_rewritten(rewriting, Target(CORE, "balanced"))
