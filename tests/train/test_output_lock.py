"""Two trainings never work in one output folder; what a dead process held is free again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from command import REPOSITORY, tinyml
from training_case import series

from tinyml_tool.errors import ExitCode, OutputError
from tinyml_tool.train.engine_process import PYTHON_VARIABLE
from tinyml_tool.train.output_lock import held
from tinyml_tool.train.result_folder import work_folder

OUT_OF_MEMORY = '{"event": "error", "kind": "memory", "message": "no room", "hint": null}'


def engine(folder: Path, name: str, line: str) -> Path:
    """Stands in for the Python that has TensorFlow."""
    script = folder / name
    script.write_text(f"#!/bin/sh\n{line}\n")
    script.chmod(0o755)
    return script


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with data and two engines: one that never ends by itself, one that fails."""
    waves = series()
    np.savez(tmp_path / "waves.npz", x=waves.samples, y=waves.labels)
    engine(tmp_path, "endless", "exec cat")
    engine(tmp_path, "failing", f"echo '{OUT_OF_MEMORY}'")
    return tmp_path


WORDS = ("train", "waves.npz", "--arch", "mlp")


@contextmanager
def training(place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A training that has begun and does not end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyml_tool", *WORDS, "-o", "new/out", "-q"],
        cwd=place,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "XDG_CACHE_HOME": str(place / "cache"),
            PYTHON_VARIABLE: str(place / "endless"),
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while not (work_folder(place / "new" / "out") / "job.json").is_file():
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def second(place: Path, output: str | Path) -> tuple[int, dict[str, object]]:
    """Exit code and error of another training into `output`."""
    env = {"XDG_CACHE_HOME": str(place / "cache"), PYTHON_VARIABLE: str(place / "failing")}
    done = tinyml(*WORDS, "-o", output, "--force", "--json", cwd=place, env=env)
    return done.code, done.error


def test_a_second_training_is_told_who_holds_the_folder(place: Path) -> None:
    with training(place) as first:
        (place / "link").symlink_to(place / "new")
        for name in ("new/out", place / "link" / "out"):
            code, error = second(place, name)
            assert code == ExitCode.USAGE
            assert error["code"] == "output"
            assert f"`tinyml train` in process {first.pid}, since" in str(error["message"])
            assert "another --output" in str(error["hint"])
        assert (work_folder(place / "new" / "out") / "job.json").is_file()
        code, _ = second(place, "new/other")
        assert code == ExitCode.BUILD
        assert first.poll() is None


def test_the_lock_of_a_killed_process_is_taken_over(place: Path) -> None:
    with training(place) as first:
        first.kill()
        first.wait()
        assert list((place / "cache" / "tinyml" / "locks").iterdir())
        code, error = second(place, "new/out")
    assert (code, error["message"]) == (ExitCode.BUILD, "memory ran out: no room")


def test_after_ctrl_c_nothing_is_left(place: Path) -> None:
    with training(place) as first:
        first.send_signal(signal.SIGINT)
        assert first.wait(30) == 130
    assert not list((place / "cache" / "tinyml" / "locks").iterdir())
    assert not list((place / "new").iterdir())


def test_one_process_holds_a_folder_once_too(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    again = pytest.raises(OutputError, match="another training")
    with held(tmp_path / "out", "train"), again, held(tmp_path / "out", "compress"):
        pass
    with held(tmp_path / "out", "train"):
        pass


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(OutputError, match="cannot be made") as error, held(tmp_path / "o", "train"):
        pass
    assert "XDG_CACHE_HOME" in str(error.value.hint)
