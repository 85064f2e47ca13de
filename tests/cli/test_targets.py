"""`build`, `run` and `validate` take a generated project, or a model that becomes one."""

from pathlib import Path

import pytest
from command import tinyml
from project_case import small_model, small_project

from tinyml_tool.firmware.manifest import read_manifest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model())
    return path


def test_a_model_becomes_a_project_that_is_then_reused(model: Path, tmp_path: Path) -> None:
    first = tinyml("build", model, "--board", "qemu-m3", "--json", cwd=tmp_path)
    assert first.code == 0
    marker = tmp_path / "small-qemu-m3" / "src" / "mine.c"
    marker.write_text("int mine;\n")
    assert tinyml("validate", model, "--board", "qemu-m3", "--json", cwd=tmp_path).code == 0
    assert marker.exists()


def test_another_model_of_the_same_name_does_not_reuse_the_project(
    model: Path, tmp_path: Path
) -> None:
    assert tinyml("build", model, "--output", tmp_path / "p").code == 0
    model.write_bytes(small_model(weight=4))
    result = tinyml("build", model, "--output", tmp_path / "p", "--json")
    assert (result.code, result.error["code"]) == (2, "output")


@pytest.mark.parametrize("command", ["build", "run", "validate"])
def test_a_project_of_another_board_is_refused(command: str, tmp_path: Path) -> None:
    project, _ = small_project(tmp_path / "p", "qemu-m3")
    result = tinyml(command, project, "--board", "qemu-m4", "--json")
    assert (result.code, result.error["code"]) == (2, "input")
    assert "qemu-m3" in result.error["message"]


def test_an_output_for_a_project_makes_no_sense(tmp_path: Path) -> None:
    project, _ = small_project(tmp_path / "p")
    assert tinyml("build", project, "--output", tmp_path / "q", "--json").code == 2


@pytest.mark.parametrize("command", ["build", "run", "validate"])
def test_a_project_of_another_preset_is_refused(command: str, tmp_path: Path) -> None:
    project, _ = small_project(tmp_path / "p")
    result = tinyml(command, project, "--optimize", "speed", "--json")
    assert (result.code, result.error["code"]) == (2, "input")
    assert "balanced" in result.error["message"]


def test_the_preset_is_in_the_manifest_and_the_project_file(model: Path, tmp_path: Path) -> None:
    result = tinyml("generate", model, "-O", "size", "--output", tmp_path / "p", "--json")
    assert result.envelope["result"]["optimize"] == "size"
    assert read_manifest(tmp_path / "p").optimize == "size"
    again = tinyml("generate", "--output", tmp_path / "q", "--json", cwd=tmp_path / "p")
    assert again.envelope["result"]["optimize"] == "size"


def test_engine_tflm_has_no_presets(model: Path, tmp_path: Path) -> None:
    result = tinyml("generate", model, "-e", "tflm", "-O", "speed", "--json", cwd=tmp_path)
    assert (result.code, result.error["code"]) == (2, "input")
    assert "--optimize" in result.error["hint"]


def test_inspect_tells_the_kernel_of_each_layer(model: Path) -> None:
    result = tinyml("inspect", model, "--optimize", "speed", "--json").envelope["result"]
    assert (result["optimize"], result["core"]) == ("speed", "cortex-m4")
    assert all(layer["kernel"] for layer in result["layers"])
