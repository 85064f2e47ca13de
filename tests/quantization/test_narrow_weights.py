"""int4 weights made of int8 ones: scales, values, and biases that keep their meaning."""

from __future__ import annotations

import numpy as np
import pytest
from model_builder import ModelBuilder

from tinyml_tool.errors import InputError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import DType, Graph, Operator
from tinyml_tool.quantization.int4_weights import narrowed, with_int4_weights
from tinyml_tool.quantization.lint import lint


def real(graph: Graph, operator: Operator, place: int, axis: int) -> np.ndarray:
    """The real values of an operator's weights or bias."""
    tensor = graph.tensor(operator.inputs[place])
    assert tensor.data is not None and tensor.quantization is not None
    shape = [1] * tensor.data.ndim
    shape[axis] = -1
    return tensor.data * np.asarray(tensor.quantization.scales).reshape(shape)


def test_scales_leave_the_least_squared_error_of_all_tried() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 1, (5, 400))
    scales, values = narrowed(weights)
    assert np.abs(values).max() == 7
    errors = np.square(values * scales[:, None] - weights).sum(axis=1)
    full = np.abs(weights).max(axis=1) / 7
    unclipped = np.rint(weights / full[:, None]) * full[:, None]
    assert (errors < np.square(unclipped - weights).sum(axis=1)).all()


@pytest.mark.parametrize("step", [1.0, 0.013])
def test_weights_on_a_grid_of_15_values_stay_as_they_are(step: float) -> None:
    rng = np.random.default_rng(1)
    grid = rng.integers(-7, 8, (3, 50))
    grid[:, 0] = 7
    scales, values = narrowed(grid * step)
    # Scales of a model file are float32.
    assert np.allclose(scales, step, rtol=1e-6)
    assert np.array_equal(values, grid)


def test_a_channel_of_zeros_stays_zero() -> None:
    scales, values = narrowed(np.zeros((1, 4)))
    assert scales[0] > 0
    assert not values.any()


def two_layers(bias: bool = True, dtype: str = "int8") -> bytes:
    """A convolution and a depthwise one that share a bias of zeros and ones."""
    rng = np.random.default_rng(2)
    builder = ModelBuilder()
    source = builder.input(dtype, (1, 4, 4, 3), scale=0.1)
    biases = [builder.constant([1000, -500, 7], "int32", scale=[0.001] * 3)] if bias else []
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
    scales = [0.01, 0.02, 0.03]
    first = builder.constant(rng.integers(-127, 128, (3, 1, 1, 3)), "int8", scale=scales, axis=0)
    hidden = builder.tensor(dtype, (1, 4, 4, 3), scale=0.1)
    builder.operator("CONV_2D", [source, first, *biases], hidden, **options)
    second = builder.constant(rng.integers(-127, 128, (1, 3, 3, 3)), "int8", scale=scales, axis=3)
    output = builder.tensor(dtype, (1, 4, 4, 3), scale=0.1)
    inputs = [hidden, second, *biases]
    builder.operator("DEPTHWISE_CONV_2D", inputs, output, depth_multiplier=1, **options)
    return builder.build([output])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("layer", "axis"), [(0, 0), (1, 3)])
def test_weights_and_biases_keep_their_real_values_as_well_as_they_can(
    layer: int, axis: int, bias: bool
) -> None:
    before = parse_model(two_layers(bias), "m")
    after = parse_model(with_int4_weights(two_layers(bias), "m", [layer]), "m")
    old, new = before.operators[layer], after.operators[layer]
    weights = after.tensor(new.inputs[1])
    assert weights.dtype is DType.INT4
    assert weights.quantization is not None and weights.quantization.axis == axis
    error = np.abs(real(after, new, 1, axis) - real(before, old, 1, axis))
    steps = np.asarray(weights.quantization.scales)
    assert (np.moveaxis(error, axis, -1) <= 3 * steps).all()
    if bias:
        stored = after.tensor(new.inputs[2])
        assert stored.quantization is not None
        unit = 0.1 * np.asarray([0.01, 0.02, 0.03])
        assert before.tensor(old.inputs[2]).data is not None
        expected = before.tensor(old.inputs[2]).data * unit
        found = real(after, new, 2, 0)
        assert (np.abs(found - expected) <= 0.51 * np.asarray(stored.quantization.scales)).all()
        assert [problem for problem in lint(after) if problem.layer == "0"] == []


def test_a_bias_that_layers_share_is_changed_in_one_of_them_only() -> None:
    before = parse_model(two_layers(), "m")
    after = parse_model(with_int4_weights(two_layers(), "m", [0]), "m")
    other = after.tensor(after.operators[1].inputs[2])
    assert np.array_equal(other.data, before.tensor(before.operators[1].inputs[2]).data)
    assert after.operators[0].inputs[2] != after.operators[1].inputs[2]


def test_layers_of_the_usual_kinds_are_taken_and_the_file_shrinks() -> None:
    rng = np.random.default_rng(3)
    builder = ModelBuilder()
    source = builder.input("int8", (1, 64), scale=0.1)
    weights = builder.constant(rng.integers(-127, 128, (64, 64)), "int8", scale=0.01)
    output = builder.tensor("int8", (1, 64), scale=0.1)
    builder.operator("FULLY_CONNECTED", [source, weights], output)
    model = builder.build([output])
    narrow = with_int4_weights(model, "m")
    graph = parse_model(narrow, "m")
    assert graph.tensor(weights).dtype is DType.INT4
    assert len(model) - len(narrow) > 64 * 64 // 2 - 200


def test_a_layer_that_cannot_is_named() -> None:
    with pytest.raises(InputError, match=r"layer 0 CONV_2D.*activations are int16"):
        with_int4_weights(two_layers(bias=False, dtype="int16"), "m", [0])
