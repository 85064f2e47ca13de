"""The examples as a user starts them: from data to a verdict, as processes of their own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from training_case import needs_tensorflow

from tinyml_tool.errors import ToolMissingError

ROOT = Path(__file__).resolve().parents[2]
TIME_LIMIT = 400
PACKAGES = {"activity": "AEON", "anomaly": "AEON", "keywords": "ESPEAK"}
"""The package that an example's data are in, as its module `data` calls it."""
LEAST = {"digits": 0.95, "activity": 0.95, "keywords": 0.93, "anomaly": 0.95}
"""Accuracy, or AUC of the anomaly detector, of the full run."""
QUICK = ("digits", "activity")
SMALL = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in sorted(LEAST)
]
FACTS = ("instructions", "flash", "RAM", "stack used", "from raw samples")


def run_example(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "examples" / name / "run.py", *arguments],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
            "TF_NUM_INTRAOP_THREADS": "2",
            "TF_NUM_INTEROP_THREADS": "2",
        },
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )


@pytest.fixture
def data_of(example_module: Callable[[str], ModuleType]) -> Callable[[str], None]:
    """Skips where an example's data cannot be had."""

    def have(name: str) -> None:
        if name == "digits":
            pytest.importorskip("sklearn")
            return
        data = example_module(f"{name}/data")
        package = getattr(data, PACKAGES[name])
        try:
            data.package_folder(package, lambda text: None)
        except ToolMissingError as error:
            pytest.skip(error.message)

    return have


def result_of(folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return result


def quality(figures: dict[str, Any]) -> float:
    return float(figures["auc"] if figures["task"] == "anomaly" else figures["accuracy"])


def assert_exact(result: dict[str, Any]) -> None:
    device, raw = result["int8"]["device"], result["from_raw"]
    assert result["board"]["parity"]["values_different"] == 0
    assert device["agreement"]["samples"] == result["samples"]
    assert device["agreement"]["samples_different"] == 0
    assert raw["windows"] == result["samples"]
    assert raw["different"] == 0
    assert result["exact"]


def assert_the_board_scores_alike(result: dict[str, Any]) -> None:
    """Every anomaly score of the board is this computer's, on test and on raw samples."""
    device, raw = result["int8"]["device"], result["from_raw"]
    assert device["answers"]["answers"] == raw["windows"] == result["samples"]
    assert device["answers"]["values_different"] == raw["answers_different"] == 0
    assert device["figures"] == result["int8"]["host"]
    assert raw["detected"] == device["figures"]["detected"] + device["figures"]["false_alarms"]


@needs_tensorflow
@pytest.mark.parametrize("name", SMALL)
def test_a_small_run_goes_from_data_to_an_exact_verdict(
    name: str, data_of: Callable[[str], None], tmp_path: Path
) -> None:
    data_of(name)
    ended = run_example(name, "--small", "--output", tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "EXACT  0 of " in ended.stdout
    assert [fact for fact in FACTS if fact not in ended.stdout] == []
    if name == "digits":
        assert ended.stdout.count("device: ") == 8
    assert_exact(result_of(tmp_path))
    if name == "anomaly":
        assert_the_board_scores_alike(result_of(tmp_path))
    assert (tmp_path / "project" / "manifest.json").is_file()


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LEAST))
def test_a_full_run_is_good_and_loses_at_most_a_point_by_int8(
    name: str, data_of: Callable[[str], None], tmp_path: Path
) -> None:
    data_of(name)
    ended = run_example(name, "--output", tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result = result_of(tmp_path)
    assert_exact(result)
    before, after = quality(result["float"]["host"]), quality(result["int8"]["host"])
    assert after >= LEAST[name]
    assert after >= before - 0.01
    right = result["from_raw"]["right"]
    if name == "anomaly":
        assert_the_board_scores_alike(result)
    else:
        assert right == round(after * result["samples"])


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LEAST))
def test_the_commands_of_a_readme_work_as_they_stand_there(
    name: str,
    data_of: Callable[[str], None],
    example_module: Callable[[str], ModuleType],
    tmp_path: Path,
) -> None:
    data_of(name)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    assert run_example(name, "--small", "--output", tmp_path / "out" / name).returncode == 0
    text = (ROOT / "examples" / name / "README.md").read_text()
    commands = [line.strip() for line in text.splitlines() if line.startswith("    tinyml ")]
    assert commands
    if name == "activity":
        data = example_module("activity/data")
        folder = data.package_folder(data.AEON, lambda text: None)
        commands = [command.replace("FOLDER/", f"{folder}/") for command in commands]
    if name == "keywords":  # of a small run there are fewer voices
        data = example_module("keywords/data")
        data.record(tmp_path / "out" / "keywords" / "words", data.ALL, lambda text: None)
    for command in commands:
        ended = subprocess.run(
            [sys.executable, "-m", "tinyml_tool", *shlex.split(command)[1:]],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        assert ended.returncode == 0, command + ended.stdout + ended.stderr


def test_a_board_that_does_not_exist_is_told_before_anything_is_done(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    place = tmp_path / "out"
    ended = run_example("digits", "--board", "qemu-m5", "--output", place)
    assert ended.returncode == 2
    assert "error: " in ended.stdout
    assert "qemu-m5" in ended.stdout
    assert not place.exists()
