"""A board file of the user's: projects for it carry a copy, and can be opened again by that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import tinyml
from project_case import small_model

from tinyml_tool.api.generate import generate
from tinyml_tool.api.monitor import monitor_source
from tinyml_tool.api.project import open_project
from tinyml_tool.api.target import project_of
from tinyml_tool.boards import board_from_toml, board_to_toml, load_board, load_boards
from tinyml_tool.errors import InputError, PortError
from tinyml_tool.resources import data_folder

BOARDS = data_folder("boards")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model())
    return path


def board_file(folder: Path, *, like: str = "qemu-m4", clock_hz: int | None = None) -> Path:
    """A file of a board `mine` that is like another one."""
    text = (BOARDS / f"{like}.toml").read_text().replace(f'id = "{like}"', 'id = "mine"', 1)
    if clock_hz is not None:
        text = text.replace("clock_hz = 25_000_000", f"clock_hz = {clock_hz}", 1)
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def made(folder: Path, model: Path, *, like: str = "qemu-m4") -> Path:
    """A project for the board `mine`, whose file is gone since."""
    file = board_file(folder, like=like)
    project = folder / "project"
    generate(model, board=file, output=project)
    file.unlink()
    return project


@pytest.mark.parametrize("name", sorted(load_boards()))
def test_the_copy_describes_the_same_board(name: str) -> None:
    board = load_board(name)
    assert board_from_toml(board_to_toml(board), "copy") == board


def test_deploy_goes_all_the_way(model: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    result = tinyml("deploy", model, "-b", board_file(tmp_path), "-o", project, "-n", "2", "--json")
    assert result.code == 0, result.stderr
    evidence = result.envelope["result"]
    assert (evidence["board"], evidence["parity"]["values_different"]) == ("mine", 0)


def test_a_project_is_opened_again_without_the_file_it_came_from(
    model: Path, tmp_path: Path
) -> None:
    project = made(tmp_path, model)
    for command in ("build", "run", "validate"):
        result = tinyml(command, project, "--json")
        assert result.code == 0, result.stderr
    assert result.envelope["result"]["board"] == "mine"
    assert json.loads((project / "manifest.json").read_text())["board_file"] == "board.toml"
    inside = tinyml("generate", "--output", tmp_path / "again", "--json", cwd=project)
    assert inside.envelope["result"]["board"] == "mine"


def test_a_real_board_of_the_user_is_looked_for_by_its_own_usb_ids(
    model: Path, tmp_path: Path
) -> None:
    project = made(tmp_path, model, like="nano33ble")
    assert open_project(project).board.usb_ids == load_board("nano33ble").usb_ids
    with pytest.raises(PortError, match="mine"):
        monitor_source(str(project))
    result = tinyml("flash", project, "--json")
    assert "mine" in result.error["message"]


def test_a_changed_copy_is_refused_with_what_to_do(model: Path, tmp_path: Path) -> None:
    project = made(tmp_path, model)
    copy = project / "board.toml"
    copy.write_text(copy.read_text().replace("25000000", "26000000", 1))
    result = tinyml("run", project, "--json")
    assert (result.code, result.error["code"]) == (2, "input")
    assert "was changed since the project was generated" in result.error["message"]
    assert "generate the project again" in result.error["hint"]
    copy.unlink()
    assert "cannot be read" in tinyml("validate", project, "--json").error["message"]


def test_a_project_of_another_board_with_the_same_id_is_not_taken_for_it(
    model: Path, tmp_path: Path
) -> None:
    project = made(tmp_path, model)
    same = board_file(tmp_path)
    assert project_of(model, board=same, output=project) == project
    assert project_of(project, board=same) == project
    other = board_file(tmp_path, clock_hz=26_000_000)
    with pytest.raises(InputError, match="not for the board that has its id now"):
        project_of(project, board=other)
    with pytest.raises(Exception, match="exists"):
        project_of(model, board=other, output=project)


def test_a_board_known_by_its_id_needs_no_copy(model: Path, tmp_path: Path) -> None:
    generate(model, board=BOARDS / "qemu-m4.toml", output=tmp_path / "project")
    assert not (tmp_path / "project" / "board.toml").exists()
    assert open_project(tmp_path / "project").manifest.board_file is None
