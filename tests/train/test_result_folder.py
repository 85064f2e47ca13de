from __future__ import annotations

from pathlib import Path

import pytest

from tinyml_tool.errors import InputError, OutputError
from tinyml_tool.train.result_folder import (
    check_target,
    open_work,
    work_folder,
    write_result,
)

RECORD = {"training.json": b"{}"}


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_result_is_moved_and_made(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("weights")
    write_result(tmp_path / "a" / "out", {"m": tmp_path / "model"}, RECORD, force=False)
    assert names(tmp_path / "a") == ["out", "out/m", "out/training.json"]


def test_an_earlier_result_is_replaced_only_with_force(tmp_path: Path) -> None:
    write_result(tmp_path / "out", {}, {**RECORD, "old": b""}, force=False)
    with pytest.raises(OutputError, match="exists") as error:
        check_target(tmp_path / "out", force=False)
    assert "--force" in str(error.value.hint)
    write_result(tmp_path / "out", {}, {**RECORD, "new": b""}, force=True)
    assert names(tmp_path) == ["out", "out/new", "out/training.json"]


def test_a_failure_leaves_the_earlier_result(tmp_path: Path) -> None:
    write_result(tmp_path / "out", {}, RECORD, force=False)
    with pytest.raises(OutputError, match="cannot be written"):
        write_result(tmp_path / "out", {"m": tmp_path / "missing"}, {}, force=True)
    assert names(tmp_path) == ["out", "out/training.json"]


def test_what_is_no_result_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="no earlier result"):
        check_target(tmp_path, force=True)


def test_an_interrupted_training_is_kept_until_it_is_decided(tmp_path: Path) -> None:
    target = tmp_path / "out"
    work = open_work(target, resume=False, force=False)
    assert work == work_folder(target)
    (work / "engine.log").write_text("")
    assert not names(open_work(target, resume=False, force=False))  # no epoch: nothing to keep
    (work / "checkpoint.npz").write_text("")
    with pytest.raises(InputError, match="an interrupted training is there"):
        open_work(target, resume=False, force=False)
    assert names(open_work(target, resume=True, force=False)) == ["checkpoint.npz"]
    assert not names(open_work(target, resume=False, force=True))


def test_nothing_to_resume_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no interrupted training"):
        open_work(tmp_path / "out", resume=True, force=False)
    assert not names(tmp_path)
