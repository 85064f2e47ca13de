"""What `make demo` runs, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORD = json.loads((ROOT / "examples" / "digits" / "training.json").read_text())


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("sklearn")
    result = subprocess.run(
        [sys.executable, ROOT / "examples" / "digits" / "demo.py"],
        cwd=tmp_path_factory.mktemp("demo"),
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_demo_ends_with_the_verdict(output: str) -> None:
    assert "EXACT  0 of 63,020 values differ from TensorFlow Lite Micro" in output


def test_the_accuracy_on_the_device_is_that_of_the_training_record(output: str) -> None:
    share = RECORD["accuracy"]["int8"]
    right = round(share * RECORD["test"]["samples"])
    assert f"{100 * share:.1f} % ({right} of 450 test pictures)" in output


def test_the_demo_shows_pictures_with_the_devices_answers(output: str) -> None:
    assert output.count("device: ") == 8
    assert "█" in output


@pytest.mark.parametrize("fact", ["instructions (emulated)", "flash", "RAM", "stack used"])
def test_the_demo_tells_what_the_firmware_takes(output: str, fact: str) -> None:
    assert fact in output
