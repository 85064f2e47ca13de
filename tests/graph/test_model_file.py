"""Files that are no model, or no file at all, are told from each other."""

import os
from pathlib import Path

import pytest
from small_models import small_model

from tinyml_tool.errors import ExitCode, InputError, InvalidModelError
from tinyml_tool.graph.model_file import MAX_FILE_BYTES
from tinyml_tool.graph.reader import read_model


def failure(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_model(path)
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.hint
    return caught.value


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "keyword.tflite"
    path.write_bytes(small_model())
    return path


def test_a_model_is_named_after_its_file(model: Path) -> None:
    assert read_model(model).name == "keyword"


def test_a_path_may_be_text(model: Path) -> None:
    assert read_model(str(model)).operators


def test_a_missing_file_is_named_with_its_nearest_neighbour(model: Path) -> None:
    error = failure(model.with_name("keyboard.tflite"))
    assert "keyboard.tflite: no such file" in error.message
    assert error.hint is not None
    assert str(model) in error.hint


def test_a_missing_folder_is_a_missing_file(tmp_path: Path) -> None:
    assert "no such file" in failure(tmp_path / "nowhere" / "m.tflite").message


def test_a_folder_is_no_model_but_may_hold_one(model: Path) -> None:
    error = failure(model.parent)
    assert "is a folder" in error.message
    assert error.hint is not None
    assert str(model) in error.hint


def test_a_saved_model_folder_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01\x12\x00")
    error = failure(tmp_path)
    assert "SavedModel" in error.message
    assert error.hint is not None
    assert "from_saved_model" in error.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_read_permission_is_reported(model: Path) -> None:
    model.chmod(0)
    assert "cannot be read: Permission denied" in failure(model).message


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.tflite"
    os.mkfifo(pipe)
    assert "not a regular file" in failure(pipe).message


def test_a_path_with_a_nul_is_refused() -> None:
    assert "not a path" in failure(Path("model\0.tflite")).message


def test_a_path_through_a_file_is_reported(model: Path) -> None:
    assert "cannot be read" in failure(model / "inner.tflite").message


def test_a_link_to_itself_is_reported(tmp_path: Path) -> None:
    link = tmp_path / "loop.tflite"
    link.symlink_to(link)
    assert "cannot be read" in failure(link).message


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.tflite"
    path.touch()
    error = failure(path)
    assert isinstance(error, InvalidModelError)
    assert "is empty" in error.message


def test_an_absurdly_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.tflite"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    error = failure(path)
    assert isinstance(error, InvalidModelError)
    assert str(MAX_FILE_BYTES + 1) in error.message
