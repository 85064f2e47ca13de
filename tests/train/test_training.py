from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_case import needs_tensorflow, series

import tinyml_tool as tt
from tinyml_tool.api.labels import read_labels
from tinyml_tool.api.train import Trained, train
from tinyml_tool.errors import InputError
from tinyml_tool.graph.reader import read_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.train.datasets.read import read_dataset
from tinyml_tool.train.record import read_record
from tinyml_tool.train.result_folder import work_folder
from tinyml_tool.train.settings import Augmentation, TrainSettings

pytestmark = needs_tensorflow

SETTINGS = TrainSettings(
    epochs=40, batch_size=8, balance=True, augmentation=Augmentation(shift=1, noise=0.05, mixup=0.1)
)
ARCH = "conv1d:width=0.25,depth=2"
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def data_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = series()
    path = tmp_path_factory.mktemp("data") / "waves.npz"
    np.savez(path, x=data.samples, y=data.labels, classes=np.array(data.classes))
    return path


@pytest.fixture(scope="module")
def trained(data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    place = tmp_path_factory.mktemp("trained") / "waves"
    return train(data_file, arch=ARCH, output=place, settings=SETTINGS)


def test_it_learns(trained: Trained) -> None:
    assert trained.test.confusion is not None
    assert trained.test.confusion.accuracy > 0.9


def test_the_folder_holds_what_the_next_steps_need(trained: Trained) -> None:
    assert sorted(path.name for path in trained.folder.iterdir()) == [
        "calibration.npz",
        "labels.txt",
        "model.keras",
        "model_float.tflite",
        "test.npz",
        "train.npz",
        "training.json",
        "validation.npz",
    ]
    assert not work_folder(trained.folder).exists()
    assert read_labels(trained.folder / "labels.txt") == ("wave 0", "wave 1", "wave 2")


def test_the_record_tells_everything(trained: Trained, data_file: Path) -> None:
    record = read_record(trained.folder)
    assert record.data_sha256 == read_dataset(data_file).sha256
    assert record.input_shape == (12, 2)
    content = record.content
    assert len(content["history"]) == 40
    assert set(content["history"][0]) == {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
    }
    assert set(content["versions"]) == {"python", "tensorflow", "keras", "numpy"}
    assert sum(content["data"]["split"]["samples"].values()) == 60
    assert np.sum(content["test"]["confusion"]) == content["data"]["split"]["samples"]["test"]
    assert content["settings"]["augmentation"]["mixup"] == 0.1


def test_the_float_model_is_static_and_answers_as_the_record_says(trained: Trained) -> None:
    graph = read_model(trained.float_model)
    assert graph.tensor(graph.inputs[0]).shape == (1, 12, 2)
    reference = TflmReference(trained.float_model.read_bytes(), "float")
    test = read_dataset(trained.folder / "test.npz")
    answers = [int(reference.run([one[None]])[0].argmax()) for one in test.samples]
    right = sum(answer == label for answer, label in zip(answers, test.labels, strict=True))
    assert trained.test.confusion is not None
    assert right == trained.test.confusion.correct


def test_calibration_samples_come_from_the_training_part(trained: Trained) -> None:
    parts = {
        name: {sample.tobytes() for sample in read_dataset(trained.folder / f"{name}.npz").samples}
        for name in ("calibration", "validation", "test")
    }
    assert len(parts["calibration"]) == 60 - len(parts["validation"]) - len(parts["test"])
    assert not parts["calibration"] & (parts["validation"] | parts["test"])


def test_the_same_settings_give_the_same_model_to_the_bit(
    trained: Trained, data_file: Path, tmp_path: Path
) -> None:
    again = train(data_file, arch=ARCH, output=tmp_path / "again", settings=SETTINGS)
    assert again.float_model.read_bytes() == trained.float_model.read_bytes()
    assert again.record["history"] == trained.record["history"]


def start(data_file: Path, output: Path) -> subprocess.Popen[str]:
    words = ["train", data_file, "--arch", ARCH, "-o", output, "--epochs", 40, "--batch-size", 8]
    words += ["--balance", "--shift", 1, "--noise", 0.05, "--mixup", 0.1]
    return subprocess.Popen(
        [sys.executable, "-m", "tinyml_tool", *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_after_ctrl_c_it_goes_on_to_the_very_same_model(
    trained: Trained, data_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "waves"
    process = start(data_file, output)
    end = time.monotonic() + 60
    while not (work_folder(output) / "checkpoint.npz").is_file():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    stderr = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "interrupted" in stderr
    assert "--resume" in stderr
    assert not output.exists()

    with pytest.raises(InputError, match="interrupted training is there") as error:
        train(data_file, arch=ARCH, output=output, settings=SETTINGS)
    assert "--resume" in str(error.value.hint)
    with pytest.raises(InputError, match=r"fit\.batch_size differ"):
        train(
            data_file,
            arch=ARCH,
            output=output,
            settings=TrainSettings(**{**vars(SETTINGS), "batch_size": 9}),
            resume=True,
        )
    told: list[str] = []
    resumed = train(
        data_file, arch=ARCH, output=output, settings=SETTINGS, resume=True, progress=told.append
    )
    assert any(text.startswith("going on after epoch") for text in told)
    assert resumed.float_model.read_bytes() == trained.float_model.read_bytes()
    assert not work_folder(output).exists()


def test_a_model_is_fitted_further_from_its_file(
    trained: Trained, data_file: Path, tmp_path: Path
) -> None:
    further = train(
        data_file,
        arch=ARCH,
        output=tmp_path / "further",
        settings=TrainSettings(epochs=1, learning_rate=1e-6),
        start_from=trained.keras_file,
    )
    assert further.record["history"][0]["val_accuracy"] > 0.85


def test_it_stops_early_and_keeps_the_best_epoch(data_file: Path, tmp_path: Path) -> None:
    found = train(
        data_file,
        arch="mlp",
        output=tmp_path / "early",
        settings=TrainSettings(epochs=60, learning_rate=0.3, schedule="constant", patience=2),
    )
    history: list[dict[str, Any]] = found.record["history"]
    best = min(range(len(history)), key=lambda epoch: history[epoch]["val_loss"])
    assert found.record["best_epoch"] == best + 1
    assert len(history) == min(best + 3, 60)
    assert len(history) < 60


def test_a_training_that_diverges_is_told(tmp_path: Path) -> None:
    data = series()
    huge = type(data)(**{**vars(data), "samples": data.samples * 1e30})
    with pytest.raises(InputError, match="diverged") as error:
        train(huge, arch="autoencoder", output=tmp_path / "x", scaling="none", normal="wave 0")
    assert "--learning-rate" in str(error.value.hint)
    assert not list(tmp_path.iterdir())


def test_features_come_before_the_model(data_file: Path, tmp_path: Path) -> None:
    found = train(
        data_file,
        arch="mlp",
        output=tmp_path / "features",
        settings=TrainSettings(epochs=1),
        features=lambda raw: np.abs(raw).mean(axis=1),
        features_record="mean of absolutes",
    )
    record = json.loads((found.folder / "training.json").read_text())
    assert record["input"]["shape"] == [2]
    assert record["input"]["raw_shape"] == [12, 2]
    assert record["input"]["features"] == "mean of absolutes"


def test_an_autoencoder_tells_anomalies_and_brings_its_threshold(tmp_path: Path) -> None:
    found = train(
        series(120),
        arch="autoencoder:width=0.25,depth=1",
        output=tmp_path / "waves",
        settings=TrainSettings(epochs=60, batch_size=8),
        normal="wave 0",
    )
    figures = tt.evaluate(found.float_model, false_alarms=0.2).host.anomaly
    assert figures is not None
    assert figures.auc is not None
    assert figures.auc > 0.9
    assert figures.auc == pytest.approx(found.test.auc)
    assert figures.anomalies == 80
    assert "normal validation samples exceed it" in figures.threshold.reason
    assert figures.detected > 60


def test_of_the_data_of_its_training_a_model_is_evaluated_on_the_test_part_alone(
    trained: Trained, data_file: Path
) -> None:
    found = tt.evaluate(trained.float_model, data=data_file)
    assert found.host.confusion == trained.test.confusion
    assert "the test part of the training's division" in found.data
    assert tt.evaluate(trained.float_model).host == found.host
