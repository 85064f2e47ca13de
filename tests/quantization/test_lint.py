from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from model_builder import ModelBuilder

from tinyml_tool.compiler.tflm_plan import cmsis_nn_problems
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.quantization.lint import lint


def causes(builder: ModelBuilder, output: int) -> list[str]:
    return [problem.cause for problem in lint(parse_model(builder.build([output]), "m"))]


def dense(
    *,
    activations: str = "int8",
    weights: dict[str, Any] | None = None,
    bias: dict[str, Any] | None = None,
    bias_type: str = "int32",
    bias_values: tuple[int, ...] = (1, 2),
) -> list[str]:
    """Problems of a dense layer 3 -> 2 with input scale 0.5, weight scales 0.1 and 0.2."""
    builder = ModelBuilder()
    x = builder.input(activations, (1, 3), scale=0.5)
    stored = weights or {"scale": [0.1, 0.2], "axis": 0}
    w = builder.constant(np.ones((2, 3), np.int8), **stored)
    b = builder.constant(
        np.array(bias_values), dtype=bias_type, **(bias or {"scale": [0.05, 0.1], "axis": 0})
    )
    y = builder.tensor(activations, (1, 2), scale=1.0)
    return causes(builder, builder.operator("FULLY_CONNECTED", [x, w, b], y))


def test_a_sound_layer_has_no_problems() -> None:
    assert dense() == []
    assert dense(activations="int16", bias_type="int64") == []


@pytest.mark.parametrize(("activations", "bias"), [("int8", "int8"), ("int8", "int64")])
def test_a_bias_of_the_wrong_type_is_named(activations: str, bias: str) -> None:
    (cause,) = dense(activations=activations, bias_type=bias)
    assert cause == f"bias is {bias}, must be int32 for {activations} activations"


def test_a_bias_scale_that_is_not_input_times_weight_is_named_with_its_channel() -> None:
    found = dense(bias={"scale": [0.05, 0.3], "axis": 0})
    assert found == ["bias of channel 1 has scale 0.3, must have 0.1 (input scale * weight scale)"]


def test_a_bias_of_zeros_may_have_any_scale() -> None:
    assert dense(bias={"scale": [0.05, 0.3], "axis": 0}, bias_values=(0, 0)) == []


def test_weights_off_centre_are_named() -> None:
    found = dense(weights={"scale": [0.1, 0.2], "zero_point": [0, 4], "axis": 0})
    assert "weights have zero point 4, must have 0" in found


def test_weights_of_channels_along_a_wrong_axis_are_named() -> None:
    found = dense(weights={"scale": [0.1, 0.2, 0.1], "axis": 1}, bias={"scale": 0.05})
    assert "weights are quantized along axis 1, must be along axis 0" in found


def test_a_layer_left_in_float_is_named() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5)
    real = builder.operator("DEQUANTIZE", [x], builder.tensor("float32", (1, 4)))
    left = builder.operator("ELU", [real], builder.tensor("float32", (1, 4)))
    y = builder.operator("QUANTIZE", [left], builder.tensor("int8", (1, 4), scale=0.5))
    assert causes(builder, y) == ["it was left in float (%1 float32[1x4])"]


@pytest.mark.parametrize(
    ("kind", "scale", "zero_point", "sound"),
    [
        ("SOFTMAX", 1 / 256, -128, True),
        ("SOFTMAX", 1 / 255, -128, False),
        ("LOGISTIC", 1 / 256, 0, False),
        ("TANH", 1 / 128, 0, True),
        ("TANH", 1 / 127, 0, False),
    ],
)
def test_outputs_that_kernels_assume_a_scale_of_are_checked(
    kind: str, scale: float, zero_point: int, sound: bool
) -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.1)
    y = builder.tensor("int8", (1, 4), scale=scale, zero_point=zero_point)
    options = {"beta": 1.0} if kind == "SOFTMAX" else {}
    found = causes(builder, builder.operator(kind, [x], y, **options))
    assert bool(found) != sound


def test_a_layer_that_only_moves_values_must_keep_their_scale() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.1)
    shape = builder.constant([2, 2], dtype="int32")
    y = builder.tensor("int8", (2, 2), scale=0.2)
    (cause,) = causes(builder, builder.operator("RESHAPE", [x, shape], y, new_shape=[2, 2]))
    assert cause == "it only moves values, but scale 0.1 becomes 0.2"


@pytest.mark.parametrize(
    ("activations", "scales", "refused"),
    [("int16", [0.1, 0.2], True), ("int16", [0.1], False), ("int8", [0.1, 0.2], False)],
)
def test_a_scale_a_channel_of_int16_dense_layers_is_told_for_cmsis_nn(
    activations: str, scales: list[float], refused: bool
) -> None:
    builder = ModelBuilder()
    x = builder.input(activations, (1, 3), scale=0.5)
    axis = {"axis": 0} if len(scales) > 1 else {}
    w = builder.constant(np.ones((2, 3), np.int8), scale=scales, **axis)
    y = builder.operator(
        "FULLY_CONNECTED", [x, w, -1], builder.tensor(activations, (1, 2), scale=1.0)
    )
    problems = cmsis_nn_problems(parse_model(builder.build([y]), "m"))
    assert [problem.layer for problem in problems] == ["layer 0 FULLY_CONNECTED"] * refused
    assert all("--dense-per-tensor" in problem.fix for problem in problems)
