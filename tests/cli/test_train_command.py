from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import tinyml
from training_case import needs_tensorflow, series, write_wavs

from tinyml_tool.cli.progress_bar import with_bar
from tinyml_tool.errors import ExitCode


@pytest.fixture
def data(tmp_path: Path) -> Path:
    waves = series()
    np.savez(tmp_path / "waves.npz", x=waves.samples, y=waves.labels)
    return tmp_path / "waves.npz"


@needs_tensorflow
def test_it_trains_and_tells_where_the_result_is(data: Path) -> None:
    output = data.parent / "out"
    done = tinyml("train", data, "--arch", "mlp:depth=1", "--epochs", "2", "-o", output)
    assert done.code == 0, done.stderr
    assert "... epoch 1 of 2" in done.stderr
    assert "validation accuracy" in done.stderr
    assert "model_float.tflite" in done.stdout
    evaluated = tinyml("evaluate", output / "model_float.tflite", "--json").envelope["result"]
    assert evaluated["samples"] == 12


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--arch", "convolution"], "unknown architecture 'convolution'"),
        (["--arch", "ds_cnn:width=99"], "width 99"),
        (["--arch", "mlp", "--learning-rate", "0"], "learning rate 0.0"),
        (["--arch", "mlp", "--test", "0.9"], "shares of"),
        (["--arch", "mlp", "--normal", "a"], "autoencoder only"),
        (["--arch", "autoencoder"], "no class is 'normal'"),
        (["--arch", "mlp", "--resume"], "no interrupted training"),
        (["--arch", "mlp", "--from", "x.keras"], "x.keras: does not exist"),
    ],
)
def test_mistakes_are_told_before_anything_starts(
    data: Path, words: list[str], message: str
) -> None:
    done = tinyml("train", data, "-o", data.parent / "out", *words, "--json")
    assert done.code == ExitCode.USAGE
    assert message in done.error["message"]
    assert [path.name for path in data.parent.iterdir()] == ["waves.npz"]


@pytest.mark.parametrize("content", ["file", "other"])
def test_what_is_there_is_not_replaced(data: Path, content: str) -> None:
    output = data.parent / "out"
    if content == "file":
        output.write_text("mine")
    else:
        output.mkdir()
        (output / "mine.txt").write_text("mine")
    done = tinyml("train", data, "--arch", "mlp", "-o", output, "--force", "--json")
    assert done.code == ExitCode.USAGE
    assert done.error["code"] == "output"


def test_sound_needs_features_or_a_network_for_series(tmp_path: Path) -> None:
    write_wavs(tmp_path / "words")
    done = tinyml("train", tmp_path / "words", "--arch", "ds_cnn", "-o", tmp_path / "o", "--json")
    assert done.code == ExitCode.USAGE
    assert "a sample is 80" in done.error["message"]


@pytest.mark.parametrize(
    ("text", "bar"),
    [("half, 50 %", "━" * 12 + "─" * 12 + " half, 50 %"), ("reading", "reading")],
)
def test_a_share_becomes_a_bar(text: str, bar: str) -> None:
    assert with_bar(text) == bar
