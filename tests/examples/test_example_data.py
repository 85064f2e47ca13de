"""What the examples learn from and are judged on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tinyml_tool.errors import ToolMissingError
from tinyml_tool.train.dataset import TEST, TRAIN, VALIDATION
from tinyml_tool.train.datasets.read import read_dataset


def nothing(text: str) -> None:
    del text


@pytest.fixture
def example_data(example_module: Callable[[str], ModuleType]) -> Callable[[str, str], Any]:
    """The module `data` of an example; skips where its package cannot be had."""

    def load(name: str, package: str) -> Any:
        data = example_module(f"{name}/data")
        try:
            data.package_folder(getattr(data, package), nothing)
        except ToolMissingError as error:
            pytest.skip(error.message)
        return data

    return load


def test_activity_tests_on_the_archives_own_half(example_data: Callable[[str, str], Any]) -> None:
    data = example_data("activity", "AEON")
    motions = data.read_motions(nothing)
    assert motions.shape == (100, 6)
    assert (motions.split == TEST).sum() == 40 == len(motions) / 2


def test_no_value_of_an_anomaly_test_window_is_in_the_training(
    example_data: Callable[[str, str], Any], tmp_path: Path
) -> None:
    data = example_data("anomaly", "AEON")
    pressure, anomalous = data.read_pressure(nothing)
    assert not anomalous[: data.CLEAN].any()
    assert anomalous.any()
    places = np.arange(len(pressure), dtype=np.float32)  # each value tells its place
    data.write_windows(tmp_path / "windows.npz", places, anomalous)
    windows = read_dataset(tmp_path / "windows.npz")
    assert windows.split is not None
    seen = {
        part: set(windows.samples[windows.split == part].ravel().tolist())
        for part in (TRAIN, VALIDATION, TEST)
    }
    assert min(map(len, seen.values())) > 100
    assert not seen[TRAIN] & seen[VALIDATION]
    assert not (seen[TRAIN] | seen[VALIDATION]) & seen[TEST]
    assert set(windows.labels[windows.split != TEST].tolist()) == {0}


def test_the_raw_pressure_is_the_test_windows_as_a_stream(
    example_data: Callable[[str, str], Any], tmp_path: Path
) -> None:
    data = example_data("anomaly", "AEON")
    pressure, anomalous = data.read_pressure(nothing)
    data.write_windows(tmp_path / "windows.npz", pressure, anomalous)
    raw = data.write_raw_pressure(tmp_path / "test.csv", pressure)
    stream = np.loadtxt(raw.files[0]).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(stream, data.WINDOW)[:: data.STEP]
    read = read_dataset(tmp_path / "windows.npz")
    assert np.array_equal(windows, read.samples[read.split == TEST])


def test_no_voice_of_the_keywords_is_in_two_parts(
    example_data: Callable[[str, str], Any], tmp_path: Path
) -> None:
    data = example_data("keywords", "ESPEAK")
    data.record(tmp_path, data.FEW, nothing)
    voices = {
        part: {file.name.rpartition("_nohash_")[0] for file in (tmp_path / part).rglob("*.wav")}
        for part in ("train", "validation", "test")
    }
    assert sum(map(len, voices.values())) == data.FEW.voices == len(set().union(*voices.values()))
    words = read_dataset(tmp_path)
    assert sorted(words.classes) == sorted([*data.WORDS, "noise", "unknown"])
    assert words.shape == (16_000,)


RECORDING = """
import sys
from pathlib import Path
import data
data.record(Path(sys.argv[1]), data.Amount(voices=200, takes=1, others=1, noises=1), print)
"""


def test_the_keywords_are_the_same_each_time(
    example_data: Callable[[str, str], Any], tmp_path: Path
) -> None:
    """Each time the example is started: within one process the library goes on in its noise."""
    folder = Path(example_data("keywords", "ESPEAK").__file__).parent
    path = os.pathsep.join(map(str, (folder, folder.parent, folder.parents[1])))
    recordings = []
    for name in ("one", "other"):
        subprocess.run(
            [sys.executable, "-c", RECORDING, tmp_path / name],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            timeout=60,
            check=True,
        )
        files = sorted((tmp_path / name).rglob("*.wav"))
        assert len(files) == 92 * 8
        recordings.append([file.read_bytes() for file in files])
    assert recordings[0] == recordings[1]
