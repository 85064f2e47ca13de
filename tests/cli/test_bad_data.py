"""Bad data, bad float models and bad luck: each command tells cause and fix, and leaves nothing.

The commands run in this process, through the same entry as the command line's.
"""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import REPOSITORY, Finished
from float_models import float_classifier
from model_builder import ModelBuilder
from project_case import small_model
from training_case import wav_bytes, write_wavs
from typer.testing import CliRunner

from tinyml_tool.cli.main import app
from tinyml_tool.errors import ExitCode
from tinyml_tool.train.engine_process import PYTHON_VARIABLE

Make = Callable[[Path], None]
RANDOM = np.random.default_rng(0)
LABELS = np.arange(12) % 3
VECTORS = RANDOM.normal(0, 1, (12, 8)).astype(np.float32)


@pytest.fixture(autouse=True)
def _in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Finished:
    """The command with `--json`, in the current folder."""
    done = CliRunner().invoke(app, [*words, "--json", "-q"])
    return Finished(done.exit_code, done.stdout, done.stderr)


def assert_told(done: Finished, code: ExitCode, message: str, hint: str) -> None:
    assert done.code == code, done.stdout
    assert message in done.error["message"]
    assert done.error["hint"], "the way out"
    assert hint in done.error["hint"]


def npz(**arrays: Any) -> Make:
    return lambda folder: np.savez(folder / "d.npz", **arrays)


def text(name: str, content: str) -> Make:
    def write(folder: Path) -> None:
        (folder / name).write_text(content)

    return write


def changed(values: Any, place: Any, value: float) -> Any:
    other = values.copy()
    other[place] = value
    return other


def wavs(**files: bytes) -> Make:
    """Two classes of two sounds, and then some more files of class no."""

    def write(folder: Path) -> None:
        write_wavs(folder / "words", per_class=2)
        for name, content in files.items():
            (folder / "words" / "no" / f"{name}.wav").write_bytes(content)

    return write


def pictures(folder: Path) -> None:
    from PIL import Image

    for number, (name, size) in enumerate((("a", (4, 4)), ("b", (4, 4)), ("b", (5, 4)))):
        (folder / "pics" / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", size).save(folder / "pics" / name / f"{number}.png")


def empty_folder(folder: Path) -> None:
    (folder / "words" / "yes").mkdir(parents=True)


TONE = RANDOM.integers(-999, 999, 80).astype(np.int16)
NAN_SOUND = wav_bytes(struct.pack("<80f", *[0.0] * 79, float("nan")), tag=3, bits=32)
TS = "@problemName t\n@classLabel true a b\n@data\n"

TRAINING: dict[str, tuple[Make, str, str, str, str]] = {
    # what: (the data, their name, architecture, message, hint)
    "no samples": (npz(x=VECTORS[:0], y=LABELS[:0]), "d.npz", "mlp", "has no samples", "not empty"),
    "no files": (empty_folder, "words", "mlp", "holds neither .wav files nor pictures", "folder"),
    "no rows": (text("d.csv", "x,label\n"), "d.csv", "mlp", "no rows below", "names the columns"),
    "no series": (text("d.ts", TS), "d.ts", "conv1d", "no series after @data", "a line"),
    "an empty file": (text("d.npz", ""), "d.npz", "mlp", "d.npz", "np.savez"),
    "one class": (npz(x=VECTORS, y=LABELS * 0), "d.npz", "mlp", "at least two", "autoencoder"),
    "NaN": (
        *(npz(x=changed(VECTORS, (5, 2), np.nan), y=LABELS), "d.npz", "mlp"),
        *("sample 5 holds NaN or infinity; 1 of 12 samples do", "remove these samples"),
    ),
    "infinity": (
        *(npz(x=changed(VECTORS, (5, 2), np.inf), y=LABELS), "d.npz", "mlp"),
        *("sample 5 holds NaN or infinity", "remove these samples"),
    ),
    "NaN in a table": (
        *(text("d.csv", "x,label\n1,a\nnan,b\n"), "d.csv", "mlp"),
        *("row 3, column 'x': is nan", "remove the row"),
    ),
    "a word in a table": (
        *(text("d.csv", "x,label\n1,a\ntwo,b\n"), "d.csv", "mlp"),
        *("row 3, column 'x': 'two' is no number", "--channels"),
    ),
    "a row too short": (
        *(text("d.csv", "x,y,label\n1,2,a\n1,b\n"), "d.csv", "mlp"),
        *("row 3 has 2 columns, the first row 3", "complete the row"),
    ),
    "no such column": (
        *(text("d.csv", "x,class\n1,a\n2,b\n"), "d.csv", "mlp"),
        *("has 0 columns 'label'", "--label-column"),
    ),
    "missing values in a series": (
        *(text("d.ts", TS + "1,?,3:a\n"), "d.ts", "conv1d"),
        *("line 4, dimension 0: '?' is no number", "fill missing"),
    ),
    "series of several lengths": (
        *(text("d.ts", TS + "1,2,3:a\n1,2:b\n"), "d.ts", "conv1d"),
        *("a series of 2 values", "cut or fill"),
    ),
    "fewer labels than samples": (
        *(npz(x=VECTORS, y=LABELS[:9]), "d.npz", "mlp"),
        *("'y' has shape (9,), (12,) is needed", "without a label"),
    ),
    "a shape for another network": (
        *(npz(x=VECTORS, y=LABELS), "d.npz", "ds_cnn"),
        *("takes pictures", "conv1d or mlp"),
    ),
    "pictures of several sizes": (pictures, "pics", "cnn", "is 4x5, but", "--size"),
    "mixed sample rates": (
        *(wavs(fast=wav_bytes(TONE, rate=16000)), "words", "mlp"),
        *("fast.wav: has 16000 Hz, but", "resample"),
    ),
    "sounds of several lengths": (
        *(wavs(long=wav_bytes(np.tile(TONE, 2))), "words", "mlp"),
        *("long.wav: has 160 samples, but", "--seconds"),
    ),
    "a sound cut off": (
        *(wavs(cut=wav_bytes(TONE)[:-20]), "words", "mlp"),
        *("cut.wav: is cut off: 140 of 160 bytes", "copy or record it again"),
    ),
    "no sound at all": (wavs(no=b"ID3"), "words", "mlp", "no.wav: is no WAV file", "ffmpeg"),
    "stereo": (
        *(wavs(two=wav_bytes(TONE, channels=2)), "words", "mlp"),
        *("two.wav: has 2 channels", "-ac 1"),
    ),
    "a coding unheard of": (
        *(wavs(odd=wav_bytes(bytes(80), tag=2, bits=4)), "words", "mlp"),
        *("odd.wav: coding 2 with 4 bits", "pcm_s16le"),
    ),
    "NaN in a sound": (wavs(nan=NAN_SOUND), "words", "mlp", "nan.wav: holds NaN", "as PCM"),
}


# A search chooses networks for the samples' shape by itself.
CASES = [
    (command, what)
    for what in TRAINING
    for command in ("train", "search")
    if (command, what) != ("search", "a shape for another network")
]


@pytest.mark.parametrize(("command", "what"), CASES)
def test_data_that_nothing_can_be_learned_from(command: str, what: str, tmp_path: Path) -> None:
    make, name, arch, message, hint = TRAINING[what]
    make(tmp_path)
    before = sorted(tmp_path.iterdir())
    chosen = ["--arch", arch] if command == "train" else []
    assert_told(run(command, name, *chosen, "-o", "out"), ExitCode.USAGE, message, hint)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "what", ["NaN", "no samples", "fewer labels than samples", "an empty file"]
)
def test_data_that_nothing_can_be_evaluated_on(what: str, tmp_path: Path) -> None:
    make, name, _, message, hint = TRAINING[what]
    make(tmp_path)
    (tmp_path / "m.tflite").write_bytes(small_model())
    assert_told(run("evaluate", "m.tflite", "--data", name), ExitCode.USAGE, message, hint)


IMAGES = RANDOM.random((12, 8, 8, 1)).astype(np.float32)
CALIBRATION: dict[str, tuple[Make, str, str]] = {
    "no samples": (npz(x=IMAGES[:0], y=LABELS[:0]), "holds no samples", "at least one"),
    "NaN": (npz(x=changed(IMAGES, (3, 0, 0, 0), np.nan)), "sample 3 holds NaN", "drop them"),
    "beyond float32": (
        npz(x=IMAGES.astype(np.float64) * 1e300),
        "holds NaN or infinity",
        "replace or drop",
    ),
    "another shape": (npz(x=IMAGES[:, :4]), "a sample has shape 4x8x1, the model", "as for tr"),
    "words": (npz(x=np.array(["a", "b"])), "not numbers", "numbers"),
    "no such array": (npz(a=IMAGES, b=IMAGES), "holds 'a', 'b'", "`x`"),
    "labels that are no class": (npz(x=IMAGES, y=LABELS + 99), "99", "class"),
    "fewer labels": (npz(x=IMAGES, y=LABELS[:3]), "12 samples and 3 labels", "label"),
    "nothing but one value": (npz(x=IMAGES * 0 + 7), "7", "data"),
    "an empty file": (text("d.npz", ""), "d.npz", "np.savez"),
}


@pytest.mark.parametrize("what", CALIBRATION)
def test_data_that_no_range_can_be_measured_on(what: str, tmp_path: Path) -> None:
    make, message, hint = CALIBRATION[what]
    make(tmp_path)
    (tmp_path / "f.tflite").write_bytes(float_classifier())
    done = run("quantize", "f.tflite", "--data", "d.npz", "-o", "q.tflite")
    assert_told(done, ExitCode.USAGE, message, hint)
    assert not (tmp_path / "q.tflite").exists()


def test_samples_outside_of_the_calibrated_range_are_told(tmp_path: Path) -> None:
    (tmp_path / "f.tflite").write_bytes(float_classifier())
    np.savez(tmp_path / "d.npz", x=IMAGES)
    np.savez(tmp_path / "t.npz", x=IMAGES * 255)
    words = ("f.tflite", "--data", "d.npz", "--test", "t.npz", "-o", "q.tflite")
    done = run("quantize", *words)
    assert done.code == 0
    (warning,) = (text for text in done.envelope["warnings"] if "input" in text)
    assert "% of the values lie outside what it can represent (" in warning


def open_length(folder: Path) -> None:
    builder = ModelBuilder()
    x = builder.tensor("float32", (1, 1, 4), name="sound", shape_signature=(1, -1, 4))
    y = builder.tensor("float32", (1, 1, 4), name="out", shape_signature=(1, -1, 4))
    builder.operator("RELU", [x], y)
    (folder / "f.tflite").write_bytes(builder.build([y], inputs=[x]))


def custom_layer(folder: Path) -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4), name="x")
    y = builder.tensor("float32", (1, 4), name="y")
    builder.operator("CUSTOM", [x], y, custom_code="MyOwnLayer")
    (folder / "f.tflite").write_bytes(builder.build([y]))


FLOAT_MODELS: dict[str, tuple[Make, ExitCode, str, str]] = {
    "an open length": (
        *(open_length, ExitCode.UNSUPPORTED),
        *("no static shapes: input 0 ('sound'): axis 1 has no fixed length", "--shape"),
    ),
    "a custom layer": (custom_layer, ExitCode.UNSUPPORTED, "1 custom operators", "replace these"),
    "a model in integers": (
        *(lambda folder: (folder / "f.tflite").write_bytes(small_model()), ExitCode.UNSUPPORTED),
        *("is quantized already", "float model"),
    ),
    "half a file": (
        lambda folder: (folder / "f.tflite").write_bytes(float_classifier()[:900]),
        *(ExitCode.USAGE, "f.tflite", "again"),
    ),
}


@pytest.mark.parametrize("what", FLOAT_MODELS)
@pytest.mark.parametrize("command", ["import", "quantize"])
def test_float_models_that_no_device_can_run(command: str, what: str, tmp_path: Path) -> None:
    make, code, message, hint = FLOAT_MODELS[what]
    make(tmp_path)
    extra = ["--random-calibration"] if command == "quantize" else []
    done = run(command, "f.tflite", *extra, "-o", "out.tflite")
    assert_told(done, code, message.removeprefix("f.tflite"), hint)
    assert not (tmp_path / "out.tflite").exists()


# Bad luck


def huge_npz(path: Path) -> None:
    """An archive that says it holds 4 TB."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10, 10**11)}
    )
    labels = io.BytesIO()
    np.save(labels, np.arange(10))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue())
        archive.writestr("y.npy", labels.getvalue())


def engine(folder: Path, line: str) -> str:
    """Stands in for the Python that has TensorFlow."""
    script = folder / "engine"
    script.write_text(f"#!/bin/sh\n{line}\n")
    script.chmod(0o755)
    return str(script)


OUT_OF_MEMORY = '{"event": "error", "kind": "memory", "message": "4 GB wanted", "hint": null}'


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (f"echo '{OUT_OF_MEMORY}'", "memory ran out: 4 GB wanted", "--batch-size"),
        ("kill -9 $$", "was killed (SIGKILL), most likely because memory ran out", "--batch-size"),
        ("kill -11 $$", "ended with signal SIGSEGV", "engine.log"),
    ],
)
def test_a_training_that_runs_out_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str, hint: str
) -> None:
    np.savez(tmp_path / "d.npz", x=VECTORS, y=LABELS)
    monkeypatch.setenv(PYTHON_VARIABLE, engine(tmp_path, line))
    done = run("train", "d.npz", "--arch", "mlp", "-o", "out")
    assert_told(done, ExitCode.BUILD, message, hint)
    assert done.error["code"] == "training"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_data_larger_than_the_memory(tmp_path: Path, command: str) -> None:
    huge_npz(tmp_path / "d.npz")
    (tmp_path / "m.tflite").write_bytes(small_model())
    words = {
        "train": ("train", "d.npz", "--arch", "mlp", "-o", "out"),
        "evaluate": ("evaluate", "m.tflite", "--data", "d.npz"),
    }
    assert_told(run(*words[command]), ExitCode.BUILD, "memory ran out", "fewer or smaller samples")


def interrupted(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and messages of a command that gets Ctrl-C while it counts samples."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyml_tool", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    told = ""
    end = time.monotonic() + 60
    while "sample" not in told:
        told += process.stderr.readline().decode()
        assert time.monotonic() < end
        assert process.poll() is None, told
    process.send_signal(signal.SIGINT)
    told += process.communicate(timeout=30)[1].decode()
    return process.returncode, told


@pytest.mark.parametrize("command", ["quantize", "evaluate"])
def test_ctrl_c_in_the_middle_leaves_nothing(tmp_path: Path, command: str) -> None:
    (tmp_path / "f.tflite").write_bytes(float_classifier())
    many = RANDOM.random((60_000, 8, 8, 1)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=many, y=np.arange(len(many)) % 4)
    before = sorted(tmp_path.iterdir())
    words = {
        "quantize": ("quantize", "f.tflite", "--data", "d.npz", "-o", "q.tflite"),
        "evaluate": ("evaluate", "f.tflite", "--data", "d.npz"),
    }
    extra = ("--calibration", "50000") if command == "quantize" else ()
    code, told = interrupted(tmp_path, *words[command], *extra)
    assert code == 130
    assert "interrupted" in told
    assert "Traceback" not in told
    assert sorted(tmp_path.iterdir()) == before
