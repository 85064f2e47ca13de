from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from command import tinyml
from float_models import float_classifier, float_file, images
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_builder import ModelBuilder
from shared import shared_model

import tinyml_tool as tt
from tinyml_tool.errors import (
    InputError,
    MismatchError,
    TinymlError,
    ToolMissingError,
    UnsupportedModelError,
)
from tinyml_tool.importers.comparison import compare_with_source
from tinyml_tool.importers.normalise import normalise

MODEL = float_classifier()


def channels_first() -> bytes:
    """1x3x4x5 -> transposed -> 2x2 mean pooling -> softmax over channels."""
    builder = ModelBuilder()
    x = builder.input("float32", (1, 3, 4, 4), name="x")
    order = builder.constant([0, 2, 3, 1], dtype="int32")
    last = builder.operator("TRANSPOSE", [x, order], builder.tensor("float32", (1, 4, 4, 3)))
    y = builder.tensor("float32", (1, 4, 4, 3))
    return builder.build([builder.operator("SOFTMAX", [last], y, beta=1.0)])


def test_a_float_model_comes_out_the_same(tmp_path: Path) -> None:
    result = tt.import_model(float_file(tmp_path), output=tmp_path / "out.tflite")
    assert (tmp_path / "out.tflite").read_bytes() == result.data
    assert result.comparison.largest_difference == 0
    assert result.comparison.random_inputs
    assert result.problems == {"aot": (), "tflm": ()}


def test_the_new_order_of_axes_is_told(tmp_path: Path) -> None:
    result = tt.import_model(float_file(tmp_path, channels_first()))
    assert result.comparison.input_orders == ((0, 2, 3, 1),)
    assert result.graph.tensor(result.graph.inputs[0]).shape == (1, 4, 4, 3)
    kept = tt.import_model(float_file(tmp_path, channels_first()), layout=False)
    assert kept.comparison.input_orders == ((0, 1, 2, 3),)


def test_real_inputs_are_compared_on(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=images(12), y=np.zeros(12))
    result = tt.import_model(float_file(tmp_path), data=tmp_path / "x.npz", samples=9)
    assert result.comparison.samples == 9
    assert not result.comparison.random_inputs


def test_a_model_that_answers_differently_is_refused() -> None:
    normal = normalise(MODEL, "m")
    inputs = [images(3)[:, None]]
    outputs = [np.full((3, 1, 4), 0.25, np.float32)]
    with pytest.raises(MismatchError, match="differs from its source"):
        compare_with_source(normal.data, normal.graph, inputs, outputs, random_inputs=False)


def test_outputs_that_correspond_to_nothing_are_told_with_shapes() -> None:
    normal = normalise(MODEL, "m")
    with pytest.raises(UnsupportedModelError) as caught:
        compare_with_source(
            normal.data,
            normal.graph,
            [images(3)[:, None]],
            [np.zeros((3, 1, 5), np.float32)],
            random_inputs=False,
        )
    assert caught.value.details[1] == "outputs: source 1x5; model 1x4"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.onnx", "no such file"),
        ("weights.pth", "holds weights"),
        ("text.txt", "no known format"),
        ("folder", "no SavedModel"),
    ],
)
def test_sources_of_no_known_format_are_told(tmp_path: Path, name: str, message: str) -> None:
    if name == "folder":
        (tmp_path / name).mkdir()
    elif name != "absent.onnx":
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=message):
        tt.import_model(tmp_path / name)


@pytest.mark.parametrize("name", ["net.onnx", "net.pt2"])
def test_without_the_libraries_their_size_is_told_and_nothing_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in ("TINYML_ONNX_PYTHON", "TINYML_TORCH_PYTHON"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ToolMissingError, match="not installed") as caught:
        tt.import_model(tmp_path / name, output=tmp_path / "out.tflite")
    assert " GB)" in (caught.value.hint or "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_a_quantized_model_is_no_float_model() -> None:
    with pytest.raises(UnsupportedModelError, match="quantized already"):
        tt.import_model(shared_model("kws_ref_model.tflite"))


def test_stored_integer_weights_of_a_real_model_become_float() -> None:
    result = tt.import_model(shared_model("kws_ref_model_float32.tflite"))
    assert any("5 stored integer" in change for change in result.changes)
    assert result.comparison.relative < 1e-5


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(position=st.integers(0, len(MODEL) - 1), value=st.binary(min_size=1, max_size=6))
def test_damaged_models_end_in_an_error_or_a_model(position: int, value: bytes) -> None:
    data = bytearray(MODEL)
    data[position : position + len(value)] = value
    try:
        assert normalise(bytes(data[: len(MODEL)]), "m").graph.operators
    except TinymlError as error:
        assert error.message


def test_the_command_tells_the_difference_and_the_layout(tmp_path: Path) -> None:
    float_file(tmp_path, channels_first())
    done = tinyml("import", "float.tflite", "-o", "out.tflite", "-q", cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert "0, 2, 3, 1" in done.stdout
    assert "removed 1 of 1 layout transposes" in done.stdout
    assert "random inputs" in done.stderr


def test_the_command_as_json_without_libraries_is_exit_code_5(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"x")
    blank = {name: "" for name in os.environ if name.startswith("TINYML_")}
    done = tinyml(
        *("import", "net.onnx", "--json"),
        cwd=tmp_path,
        env={**blank, "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert done.code == 5
    assert done.error["code"] == "tool_missing"
    assert "2.6 GB" in done.error["hint"]


def test_a_shape_that_is_none_is_told(tmp_path: Path) -> None:
    float_file(tmp_path)
    done = tinyml("import", "float.tflite", "--shape", "1,a", "--json", cwd=tmp_path)
    assert done.code == 2
    assert "--shape 1,a" in done.error["message"]


def test_an_operator_without_inputs_ends_in_an_error_or_a_model() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4), name="x")
    noise = builder.operator("DENSIFY", [], builder.tensor("float32", (1, 4), name="noise"))
    y = builder.operator("ADD", [x, noise], builder.tensor("float32", (1, 4), name="y"))
    try:
        assert normalise(builder.build([y]), "m").graph.operators
    except TinymlError as error:
        assert error.message
