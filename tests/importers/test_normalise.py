from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from model_builder import ModelBuilder
from numpy.typing import NDArray

from tinyml_tool.errors import UnsupportedModelError
from tinyml_tool.graph.types import Graph
from tinyml_tool.importers.normalise import normalise
from tinyml_tool.reference.litert import LitertReference

INT32 = 2
"""The schema's number of the type."""
LAST = [0, 2, 3, 1]
FIRST = [0, 3, 1, 2]


def kinds(graph: Graph) -> list[str]:
    return [operator.kind for operator in graph.operators]


class ChannelsFirst:
    """Builds models as converters from other frameworks leave them."""

    def __init__(self, shape: Sequence[int], name: str = "x") -> None:
        self.builder = ModelBuilder()
        self.random = np.random.default_rng(1)
        self.value = self.builder.input("float32", shape, name=name)
        self.shape = tuple(shape)

    def transpose(self, order: Sequence[int]) -> ChannelsFirst:
        shape = tuple(self.shape[axis] for axis in order)
        constant = self.builder.constant(list(order), dtype="int32")
        return self.then("TRANSPOSE", [constant], shape)

    def conv(self, channels: int) -> ChannelsFirst:
        batch, height, width, deep = self.shape
        weights = self.random.normal(0, 0.5, (channels, 1, 1, deep)).astype(np.float32)
        bias = np.zeros(channels, np.float32)
        constants = [self.builder.constant(weights), self.builder.constant(bias)]
        return self.then(
            "CONV_2D",
            constants,
            (batch, height, width, channels),
            padding="VALID",
            stride_h=1,
            stride_w=1,
            dilation_h_factor=1,
            dilation_w_factor=1,
        )

    def reshape(self, shape: Sequence[int]) -> ChannelsFirst:
        constant = self.builder.constant(list(shape), dtype="int32")
        return self.then("RESHAPE", [constant], tuple(shape), new_shape=list(shape))

    def dense(self, count: int) -> ChannelsFirst:
        weights = self.random.normal(0, 0.5, (count, self.shape[1])).astype(np.float32)
        return self.then("FULLY_CONNECTED", [self.builder.constant(weights), -1], (1, count))

    def then(
        self, kind: str, constants: Sequence[int], shape: Sequence[int], **options: object
    ) -> ChannelsFirst:
        output = self.builder.tensor("float32", shape)
        self.value = self.builder.operator(kind, [self.value, *constants], output, **options)
        self.shape = tuple(shape)
        return self

    def build(self) -> bytes:
        return self.builder.build([self.value])


def answers(model: bytes, x: NDArray[np.float32]) -> NDArray[np.float32]:
    return LitertReference(model, "m").run([x])[0]


def assert_same(
    before: bytes, after: bytes, shape: Sequence[int], order: Sequence[int] | None = None
) -> None:
    x = np.random.default_rng(5).normal(size=shape).astype(np.float32)
    moved = x if order is None else np.ascontiguousarray(np.transpose(x, order))
    np.testing.assert_allclose(answers(before, x), answers(after, moved), rtol=1e-5, atol=1e-6)


def test_a_transposed_input_becomes_an_input_with_channels_last() -> None:
    before = ChannelsFirst((1, 3, 4, 5)).transpose(LAST).conv(6).build()
    result = normalise(before, "m")
    assert kinds(result.graph) == ["CONV_2D"]
    assert result.graph.tensor(result.graph.inputs[0]).shape == (1, 4, 5, 3)
    assert result.graph.tensor(result.graph.inputs[0]).name == "x"
    assert_same(before, result.data, (1, 3, 4, 5), LAST)


def test_the_layout_stays_where_that_is_asked_for() -> None:
    before = ChannelsFirst((1, 3, 4, 5)).transpose(LAST).conv(6).build()
    result = normalise(before, "m", layout=False)
    assert kinds(result.graph) == ["TRANSPOSE", "CONV_2D"]
    assert result.data and result.graph.tensor(result.graph.inputs[0]).shape == (1, 3, 4, 5)


def test_an_input_whose_time_steps_come_first_inside_keeps_its_batch_of_one() -> None:
    # As unrolled recurrent layers begin: [batch, time, values] to [time, batch, values].
    chain = ChannelsFirst((1, 10, 4)).transpose([1, 0, 2])
    before = chain.then("RELU", [], chain.shape).reshape((1, 40)).dense(2).build()
    result = normalise(before, "m")
    assert result.graph.tensor(result.graph.inputs[0]).shape == (1, 10, 4)
    assert_same(before, result.data, (1, 10, 4))


def test_loops_are_listed_by_layer() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4))
    looped = builder.operator("WHILE", [x], builder.tensor("float32", (1, 4)))
    with pytest.raises(UnsupportedModelError, match="loops") as caught:
        normalise(builder.build([looped]), "m")
    assert caught.value.details == ("layer 0 WHILE",)
    assert "unroll" in (caught.value.hint or "")


def test_a_transpose_before_a_dense_layer_goes_into_its_weights() -> None:
    chain = ChannelsFirst((1, 4, 5, 3)).conv(6).transpose(FIRST).reshape((1, 120)).dense(7)
    before = chain.build()
    result = normalise(before, "m")
    assert kinds(result.graph) == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]
    assert_same(before, result.data, (1, 4, 5, 3))


def test_transposes_around_an_activation_cancel() -> None:
    chain = ChannelsFirst((1, 4, 5, 3)).conv(6).transpose(FIRST)
    before = chain.then("RELU", [], chain.shape).transpose(LAST).conv(2).build()
    result = normalise(before, "m")
    assert kinds(result.graph) == ["CONV_2D", "RELU", "CONV_2D"]
    assert_same(before, result.data, (1, 4, 5, 3))


@pytest.mark.parametrize("constant", [(6, 1, 1), (1, 6, 1, 1), (6, 4, 5), (1,)])
def test_transposes_around_a_constant_factor_cancel(constant: tuple[int, ...]) -> None:
    chain = ChannelsFirst((1, 4, 5, 3)).conv(6).transpose(FIRST)
    factor = np.random.default_rng(2).normal(size=constant).astype(np.float32)
    number = chain.builder.constant(factor)
    before = chain.then("MUL", [number], chain.shape).transpose(LAST).conv(2).build()
    result = normalise(before, "m")
    assert kinds(result.graph) == ["CONV_2D", "MUL", "CONV_2D"]
    assert_same(before, result.data, (1, 4, 5, 3))


def test_transposes_around_padding_cancel() -> None:
    chain = ChannelsFirst((1, 4, 5, 3)).conv(6).transpose(FIRST)
    paddings = chain.builder.constant([[0, 0], [0, 0], [1, 2], [3, 0]], dtype="int32")
    before = chain.then("PAD", [paddings], (1, 6, 7, 8)).transpose(LAST).conv(2).build()
    result = normalise(before, "m")
    assert kinds(result.graph) == ["CONV_2D", "PAD", "CONV_2D"]
    assert_same(before, result.data, (1, 4, 5, 3))


def test_padding_and_scaling_between_input_and_transpose_are_no_obstacle() -> None:
    chain = ChannelsFirst((1, 3, 4, 5))
    factor = chain.builder.constant(np.array([1, 2, 3], np.float32).reshape(3, 1, 1))
    chain.then("MUL", [factor], chain.shape)
    paddings = chain.builder.constant([[0, 0], [0, 0], [1, 2], [0, 3]], dtype="int32")
    before = chain.then("PAD", [paddings], (1, 3, 7, 8)).transpose(LAST).conv(2).build()
    result = normalise(before, "m")
    assert kinds(result.graph) == ["MUL", "PAD", "CONV_2D"]
    assert result.graph.tensor(result.graph.inputs[0]).shape == (1, 4, 5, 3)
    assert_same(before, result.data, (1, 3, 4, 5), LAST)


@pytest.mark.parametrize("keep", [True, False])
def test_a_mean_over_transposed_space_needs_no_transpose(keep: bool) -> None:
    chain = ChannelsFirst((1, 4, 5, 3)).conv(6).transpose(FIRST)
    axes = chain.builder.constant([2, 3], dtype="int32")
    shape = (1, 6, 1, 1) if keep else (1, 6)
    chain.then("MEAN", [axes], shape, keep_dims=keep)
    before = chain.reshape((1, 6)).dense(3).build()
    result = normalise(before, "m")
    assert "TRANSPOSE" not in kinds(result.graph)
    assert_same(before, result.data, (1, 4, 5, 3))


def test_a_residual_sum_of_two_transposed_branches_needs_no_transpose() -> None:
    chain = ChannelsFirst((1, 4, 5, 3)).conv(3)
    trunk, shape = chain.value, chain.shape
    left = chain.transpose(FIRST).value
    chain.value, chain.shape = trunk, shape
    right = chain.conv(3).transpose(FIRST).value
    chain.value = left
    before = chain.then("ADD", [right], (1, 3, 4, 5)).transpose(LAST).conv(2).build()
    result = normalise(before, "m")
    assert kinds(result.graph) == ["CONV_2D", "CONV_2D", "ADD", "CONV_2D"]
    assert_same(before, result.data, (1, 4, 5, 3))


def test_a_transpose_that_an_output_needs_stays() -> None:
    before = ChannelsFirst((1, 4, 5, 3)).conv(6).transpose(FIRST).build()
    result = normalise(before, "m")
    assert kinds(result.graph) == ["CONV_2D", "TRANSPOSE"]
    assert_same(before, result.data, (1, 4, 5, 3))


def test_a_transpose_that_two_layers_read_is_left_right() -> None:
    chain = ChannelsFirst((1, 4, 5, 3)).conv(6).transpose(FIRST)
    both = chain.value
    before = chain.then("RELU", [], chain.shape).then("ADD", [both], chain.shape).build()
    assert_same(before, normalise(before, "m").data, (1, 4, 5, 3))


def test_an_open_batch_becomes_one() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4), shape_signature=(-1, 4), name="x")
    output = builder.tensor("float32", (1, 4), shape_signature=(-1, 4))
    before = builder.build([builder.operator("RELU", [x], output)])
    graph = normalise(before, "m").graph
    assert graph.tensor(graph.inputs[0]).dynamic_axes == ()
    assert graph.tensor(graph.outputs[0]).shape == (1, 4)


def test_shape_computations_of_an_open_batch_become_constants() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 2, 3), shape_signature=(-1, 2, 3), name="x")
    shape = builder.operator("SHAPE", [x], builder.tensor("int32", (3,)), out_type=INT32)
    ends = [builder.constant([n], dtype="int32") for n in (0, 1, 1)]
    batch = builder.operator(
        "STRIDED_SLICE", [shape, *ends], builder.tensor("int32", ()), shrink_axis_mask=1
    )
    six = builder.constant(np.int32(6))
    packed = builder.operator("PACK", [batch, six], builder.tensor("int32", (2,)), values_count=2)
    flat = builder.tensor("float32", (1, 6), shape_signature=(-1, 6))
    before = builder.build([builder.operator("RESHAPE", [x, packed], flat)])
    result = normalise(before, "m")
    assert kinds(result.graph) == ["RESHAPE"]
    assert result.graph.tensor(result.graph.operators[0].inputs[1]).data.tolist() == [1, 6]
    assert_same(before, result.data, (1, 2, 3))


def test_every_open_length_is_listed_and_can_be_given() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 1, 1, 3), shape_signature=(-1, -1, -1, 3), name="x")
    output = builder.tensor("float32", (1, 1, 1, 3), shape_signature=(-1, -1, -1, 3))
    model = builder.build([builder.operator("RELU", [x], output)])
    with pytest.raises(UnsupportedModelError, match="no static shapes") as caught:
        normalise(model, "m")
    assert [detail.split(": ")[1] for detail in caught.value.details] == [
        "axis 1 has no fixed length",
        "axis 2 has no fixed length",
    ]
    graph = normalise(model, "m", shapes=[(1, 8, 9, 3)]).graph
    assert graph.tensor(graph.outputs[0]).shape == (1, 8, 9, 3)


def test_half_float_weights_become_float32() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4), name="x")
    weights = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float16)
    half = builder.constant(weights)
    real = builder.operator("DEQUANTIZE", [half], builder.tensor("float32", (3, 4)))
    output = builder.tensor("float32", (1, 3))
    before = builder.build([builder.operator("FULLY_CONNECTED", [x, real, -1], output)])
    result = normalise(before, "m")
    assert kinds(result.graph) == ["FULLY_CONNECTED"]
    stored = result.graph.tensor(result.graph.operators[0].inputs[1]).data
    assert stored is not None
    np.testing.assert_array_equal(stored, weights.astype(np.float32))


def test_custom_operators_are_listed_by_layer() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4))
    one = builder.operator("CUSTOM", [x], builder.tensor("float32", (1, 4)), custom_code="FlexErf")
    two = builder.operator("CUSTOM", [one], builder.tensor("float32", (1, 4)), custom_code="Mine")
    with pytest.raises(UnsupportedModelError, match="2 custom operators") as caught:
        normalise(builder.build([two]), "m")
    assert caught.value.details == ("layer 0 CUSTOM:FlexErf", "layer 1 CUSTOM:Mine")
