"""Models that cannot be used: each with a clear message, its exit code and no traceback."""

from pathlib import Path

import numpy as np
import pytest
from command import Finished, tinyml
from model_builder import ModelBuilder
from small_models import small_model

COMMANDS = ("inspect", "generate", "deploy")


def use(command: str, model: Path, folder: Path) -> Finished:
    extra = () if command == "inspect" else ("--output", folder / "project")
    return tinyml(command, model, *extra, "--json")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(small_model())
    return path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"hello, this is no model at all", "not a"),
        (b"\x08\x00\x00\x00TFL9" + bytes(100), ""),
        (b"\x08\x00\x00\x00TFL3" + b"\xff" * 100, ""),
    ],
    ids=["empty", "text", "wrong magic", "offsets outside"],
)
def test_a_file_that_is_no_model_is_refused(
    command: str, content: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    result = use(command, path, tmp_path)
    assert result.code == 2
    assert result.error["code"] == "invalid_model"
    assert "model.tflite" in result.error["message"]
    assert says in result.error["message"]
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("part", range(20))
def test_a_truncated_model_is_refused(part: int, tmp_path: Path) -> None:
    content = small_model()
    path = tmp_path / "model.tflite"
    path.write_bytes(content[: len(content) * part // 20])
    result = tinyml("inspect", path, "--json")
    assert (result.code, result.error["code"]) == (2, "invalid_model")


def test_a_missing_model_is_told_with_its_path(tmp_path: Path) -> None:
    result = tinyml("deploy", tmp_path / "nothing.tflite", "--json")
    assert result.code == 2
    assert "nothing.tflite" in result.error["message"]


def test_a_command_without_model_and_project_file_says_what_to_do(tmp_path: Path) -> None:
    result = tinyml("inspect", "--json", cwd=tmp_path)
    assert result.code == 2
    assert "tinyml inspect" in result.error["hint"]


def float_model() -> bytes:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4))
    weights = builder.constant(np.ones((2, 4), np.float32), "float32")
    y = builder.tensor("float32", (1, 2))
    builder.operator("FULLY_CONNECTED", [x, weights, -1], y)
    return builder.build([y])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_float_model_is_refused_with_the_hint_to_quantize(command: str, tmp_path: Path) -> None:
    path = tmp_path / "float.tflite"
    path.write_bytes(float_model())
    result = use(command, path, tmp_path)
    assert (result.code, result.error["code"]) == (3, "unsupported_model")
    assert "quantize" in result.error["hint"]


def unsupported_model() -> bytes:
    """RELU between two operators that engine aot does not have."""
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5)
    a = builder.tensor("int8", (1, 4), scale=0.5)
    builder.operator("FLOOR", [x], a)
    b = builder.tensor("int8", (1, 4), scale=0.5)
    builder.operator("RELU", [a], b)
    c = builder.tensor("int8", (1, 4), scale=0.5)
    builder.operator("SIN", [b], c)
    return builder.build([c])


@pytest.mark.parametrize("command", COMMANDS)
def test_all_unsupported_operators_are_listed_at_once(command: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.tflite"
    path.write_bytes(unsupported_model())
    result = use(command, path, tmp_path)
    assert (result.code, result.error["code"]) == (3, "unsupported_model")
    details = result.error["details"]
    assert [line.split(":")[0] for line in details] == ["layer 0 FLOOR", "layer 2 SIN"]
    assert all(";" in line for line in details), "each names cause and fix"


def test_inspect_still_shows_the_layers_of_an_unsupported_model(tmp_path: Path) -> None:
    path = tmp_path / "odd.tflite"
    path.write_bytes(unsupported_model())
    layers = tinyml("inspect", path, "--json").envelope["result"]["layers"]
    assert [(layer["kind"], layer["aot"]) for layer in layers] == [
        ("FLOOR", False),
        ("RELU", True),
        ("SIN", False),
    ]


def test_a_dynamic_batch_is_refused_with_a_way_out(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (-1, 4), scale=0.5)
    y = builder.operator("RELU", [x], builder.tensor("int8", (-1, 4), scale=0.5))
    path = tmp_path / "dynamic.tflite"
    path.write_bytes(builder.build([y]))
    result = tinyml("generate", path, "--output", tmp_path / "project", "--json")
    assert result.code == 3
    assert "dynamic" in result.error["message"]
    assert "batch" in result.error["hint"]


def test_a_model_that_does_not_fit_is_refused_with_the_numbers(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 64, 64, 4), scale=0.5)
    y = builder.operator(
        "LOGISTIC", [x], builder.tensor("int8", (1, 64, 64, 4), scale=1 / 256, zero_point=-128)
    )
    path = tmp_path / "large.tflite"
    path.write_bytes(builder.build([y]))
    result = tinyml(
        "generate", path, "--board", "qemu-m0", "--output", tmp_path / "project", "--json"
    )
    assert (result.code, result.error["code"]) == (4, "does_not_fit")
    assert "tensors (16,384) and stack (2,048) need 18,432" in result.error["message"]
    assert "16,384" in result.error["message"]
    assert "qemu-m4" in result.error["hint"]
    assert not (tmp_path / "project").exists()
