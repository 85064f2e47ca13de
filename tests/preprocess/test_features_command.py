"""The commands `tinyml features show` and `check`, and raw samples through `run`."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from command import tinyml
from feature_case import feature_project, model_for, spec_of
from PIL import Image

from tinyml_tool.preprocess.model_features import features_of_model, model_with_features
from tinyml_tool.preprocess.spec_toml import features_toml


def sound(path: Path, seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> Path:
    """A sweep as a .wav file."""
    time = np.arange(int(seconds * rate)) / rate
    samples = (9000 * np.sin(2 * np.pi * 400 * time**2)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.repeat(channels).tobytes())
    return path


def test_show_draws_a_sound(tmp_path: Path) -> None:
    picture = tmp_path / "sweep.png"
    result = tinyml(
        *("features", "show", sound(tmp_path / "sweep.wav"), "-f", "micro_speech"),
        *("--png", picture),
        cwd=tmp_path,
    )
    assert result.code == 0
    assert "▀" in result.stdout and "█" in result.stdout
    assert "window 0 of 1: 49 x 40 values" in result.stdout
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.width == 49 * 16
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep.png", "sweep.wav"]


def test_show_tells_the_values(tmp_path: Path) -> None:
    (tmp_path / "tinyml.toml").write_text(features_toml(spec_of("summary")))
    lines = ["x,y,z", *(f"{i * 0.1},{-i * 0.2},1" for i in range(60))]
    (tmp_path / "motion.csv").write_text("\n".join(lines))
    result = tinyml("features", "show", "motion.csv", "--json", cwd=tmp_path)
    assert result.code == 0
    told = result.envelope["result"]
    assert told["shape"] == [3, 14]
    assert told["windows"] == 2
    assert len(told["values"]) == 42


def test_show_draws_a_picture_with_the_spec_of_a_model(tmp_path: Path) -> None:
    spec = spec_of("bilinear")
    (tmp_path / "m.tflite").write_bytes(model_with_features(model_for(spec), spec, "m"))
    Image.new("RGB", (32, 24), (200, 100, 50)).save(tmp_path / "camera.png")
    result = tinyml("features", "show", "camera.png", "-f", "m.tflite", "--json", cwd=tmp_path)
    assert result.code == 0
    assert result.envelope["result"]["shape"] == [12, 10, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gone.wav", "-f", "kws"), "gone.wav: no such file"),
        (("short.wav", "-f", "kws"), "has 0 complete windows, no number 0"),
        (("slow.wav", "-f", "kws"), "has 8000 samples a second, the features are made of 16000"),
        (("stereo.wav", "-f", "kws"), "has 2 channels of 16 bits"),
        (("long.wav", "-f", "kws", "-w", "7"), "has 1 complete windows, no number 7"),
        (("long.wav", "-f", "kwss"), "unknown preset 'kwss', did you mean 'kws'?"),
        (("long.wav", "-f", "empty.toml"), "empty.toml: has no table [features]"),
        (("long.wav", "-f", "wrong.toml"), "unknown key 'framse', did you mean 'frames'?"),
        (("long.wav", "-f", "plain.tflite"), "the model does not tell its features"),
        (("empty.toml", "-f", "kws"), "holds no samples for features of kind 'audio'"),
    ],
)
def test_show_says_what_is_wrong(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    sound(tmp_path / "long.wav")
    sound(tmp_path / "short.wav", 0.5)
    sound(tmp_path / "slow.wav", rate=8000)
    sound(tmp_path / "stereo.wav", channels=2)
    (tmp_path / "empty.toml").write_text("[project]\n")
    (tmp_path / "wrong.toml").write_text('[features]\npreset = "kws"\nframse = 3\n')
    (tmp_path / "plain.tflite").write_bytes(model_for(spec_of("area")))
    result = tinyml("features", "show", *arguments, "--json", cwd=tmp_path)
    assert result.code == 2
    assert message in result.error["message"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,2\n", "line 1 is not 3 numbers"),
        ("x,y,z\n1,2,3\n1,2,n\n", "line 3 is not 3 numbers"),
        ("1,2,nan\n", "line 1 is not 3 numbers"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "tinyml.toml").write_text(features_toml(spec_of("summary")))
    (tmp_path / "motion.csv").write_text(rows)
    result = tinyml("features", "show", "motion.csv", "--json", cwd=tmp_path)
    assert result.code == 2
    assert message in result.error["message"]


def test_check_proves_a_model_that_brings_its_features(tmp_path: Path) -> None:
    spec = spec_of("area")
    (tmp_path / "m.tflite").write_bytes(model_with_features(model_for(spec), spec, "m"))
    result = tinyml(
        *("features", "check", "m.tflite", "--board", "qemu-m4", "--values", "2000", "--json"),
        cwd=tmp_path,
    )
    assert result.code == 0, result.stderr
    told = result.envelope["result"]
    assert told["exact"] and told["values_different"] == 0
    assert told["values_compared"] >= 2000
    assert told["instructions_per_window"] > 0
    text = (tmp_path / "m-qemu-m4" / "tinyml.toml").read_text()
    assert "[features]" in text


def test_check_tells_a_difference_with_its_exit_code(tmp_path: Path) -> None:
    folder = feature_project(tmp_path / "p", spec_of("area"), "qemu-m4")
    block = folder / "lib" / "features" / "resample_u8.h"
    block.write_text(block.read_text().replace("<< 14", "<< 13"))
    result = tinyml("features", "check", folder)
    assert result.code == 7
    assert "verdict" in result.stdout and "different" in result.stdout
    assert "features differ" in result.stderr


def test_check_of_a_project_without_features_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(model_for(spec_of("area")))
    result = tinyml("features", "check", "m.tflite", "--json", cwd=tmp_path)
    assert result.code == 2
    assert "was generated without [features]" in result.error["message"]


def test_store_puts_the_spec_into_the_model(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(model_for(spec_of("kws")))
    result = tinyml("features", "store", "m.tflite", "-f", "kws", "--json", cwd=tmp_path)
    assert result.code == 0
    assert result.envelope["result"]["features_sha256"].startswith("d77b9c4da9ce0854")
    assert features_of_model((tmp_path / "m.tflite").read_bytes(), "m") == spec_of("kws")
    assert [path.name for path in tmp_path.iterdir()] == ["m.tflite"]


def test_store_refuses_features_of_another_shape(tmp_path: Path) -> None:
    before = model_for(spec_of("kws"))
    (tmp_path / "m.tflite").write_bytes(before)
    result = tinyml("features", "store", "m.tflite", "-f", "micro_speech", "--json", cwd=tmp_path)
    assert result.code == 2
    assert "make 49 x 40 values" in result.error["message"]
    assert (tmp_path / "m.tflite").read_bytes() == before


def test_deploy_tells_the_memory_of_the_features(tmp_path: Path) -> None:
    spec = spec_of("area")
    (tmp_path / "m.tflite").write_bytes(model_with_features(model_for(spec), spec, "m"))
    result = tinyml("deploy", "m.tflite", "--json", cwd=tmp_path)
    assert result.code == 0, result.stderr
    memory = result.envelope["result"]["memory"]
    assert 0 < memory["features_bytes"] < memory["ram_bytes"]
    shown = tinyml("deploy", "m.tflite", "--force", cwd=tmp_path).stdout
    assert "features" in shown and "bytes of the RAM" in shown
