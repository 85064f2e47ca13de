"""`build`, `run` and `validate` take a generated project, or a model that becomes one."""

from pathlib import Path

import pytest
from command import tinyml
from project_case import small_model, small_project


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
