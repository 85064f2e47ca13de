"""Compressing small trained models: what comes out, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from command import tinyml
from training_case import needs_tensorflow, series

import tinyml_tool as tt
from tinyml_tool.api.compress import compress, measured_row, usual_settings
from tinyml_tool.api.compression import Compressed
from tinyml_tool.api.train import Trained, train
from tinyml_tool.boards import load_board
from tinyml_tool.errors import DeviceError, InputError, OutputError, TrainingError
from tinyml_tool.graph.reader import read_model
from tinyml_tool.preprocess.model_features import features_of_model
from tinyml_tool.preprocess.spec import parse_features
from tinyml_tool.report.compression import compression_notes, markdown_table
from tinyml_tool.train.compression import CompressOptions
from tinyml_tool.train.engine_process import PYTHON_VARIABLE
from tinyml_tool.train.job import Job
from tinyml_tool.train.record import read_record
from tinyml_tool.train.result_folder import work_folder
from tinyml_tool.train.settings import TrainSettings

ARCH = "conv1d:width=0.5,depth=2"
FEATURES = {
    "kind": "series",
    "channels": 2,
    "rate": 50,
    "window": 16,
    "stride": 16,
    "mean": [0.0, 0.0],
    "std": [1.0, 1.0],
}
SHORT = TrainSettings(epochs=4, batch_size=8, learning_rate=1e-3)
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    place = tmp_path_factory.mktemp("compress") / "waves"
    settings = TrainSettings(epochs=25, batch_size=8)
    done = train(series(180, steps=16, classes=6), arch=ARCH, output=place, settings=settings)
    model = place / "model_int8.tflite"
    tt.quantize(place, output=model)
    tt.store_features(model, FEATURES)
    return done


@needs_tensorflow
def test_training_with_few_bits_makes_good_what_rounding_alone_loses(
    trained: Trained, tmp_path: Path
) -> None:
    done = compress(
        trained.folder,
        method="qat",
        output=tmp_path / "qat",
        options=CompressOptions(weight_bits=2, ranges="learned"),
        settings=replace(SHORT, epochs=15),
        measure=False,
    )
    quality = {row.name: row.quality for row in done.rows}
    assert quality["rounded, not trained"] < quality["given, float"]
    lost = quality["given, float"] - quality["rounded, not trained"]
    assert quality["qat, int8"] >= quality["given, float"] - lost / 2
    kernel = next(
        tensor
        for tensor in read_model(done.int8_model).tensors
        if tensor.is_constant and tensor.dtype.numpy == np.int8 and len(tensor.shape) == 4
    )
    assert set(np.unique(kernel.data)) <= {-127, 0, 127}


@needs_tensorflow
def test_a_pruned_model_is_a_training_that_deploys_and_is_smaller_on_the_board(
    trained: Trained, tmp_path: Path
) -> None:
    done = compress(
        trained.folder, method="prune", output=tmp_path / "pruned", settings=SHORT, force=False
    )
    given, result = (row for row in done.rows if row.cost is not None)
    assert given.cost is not None
    assert result.cost is not None
    assert result.cost.exact
    assert result.cost.flash_bytes < given.cost.flash_bytes
    assert result.cost.instructions < 0.7 * given.cost.instructions
    spec = features_of_model(done.int8_model.read_bytes(), "the result")
    assert spec == parse_features(FEATURES, "the test")
    assert sorted(path.name for path in done.folder.iterdir()) == [
        "calibration.npz",
        "compression.json",
        "labels.txt",
        "model.keras",
        "model_float.tflite",
        "model_int8.tflite",
        "test.npz",
        "train.npz",
        "training.json",
        "validation.npz",
    ]
    record = read_record(done.folder)
    assert record.content["compression"]["method"] == "prune"
    assert record.content["more"]["channels_removed"] == 12
    assert not work_folder(done.folder).exists()
    assert json.loads((done.folder / "compression.json").read_text()) == done.to_json()
    assert "| prune, int8 |" in markdown_table(done.measure, done.rows)
    assert tt.evaluate(done.int8_model).host.confusion is not None
    again = compress(
        done.folder, method="qat", output=tmp_path / "both", settings=SHORT, measure=False
    )
    assert again.result.parameters is not None
    assert again.result.parameters <= record.content["parameters"]


@pytest.mark.slow
@needs_tensorflow
def test_a_student_learns_answers_and_features_of_its_teacher(
    trained: Trained, tmp_path: Path
) -> None:
    done = compress(
        trained.folder,
        method="distill",
        output=tmp_path / "student",
        options=CompressOptions(width=0.5, features=0.5),
        settings=replace(SHORT, epochs=20, learning_rate=3e-3),
        measure=False,
    )
    assert done.record["architecture"]["width"] == 0.25
    assert done.record["more"]["teacher_parameters"] > done.record["parameters"]
    assert done.result.quality > 0.6


@pytest.mark.slow
@needs_tensorflow
def test_clusters_stay_while_training_goes_on_and_the_table_says_that_flash_stays(
    trained: Trained, tmp_path: Path
) -> None:
    done = compress(
        trained.folder,
        method="cluster",
        output=tmp_path / "clustered",
        options=CompressOptions(clusters=5),
        settings=SHORT,
        measure=False,
    )
    assert done.record["more"]["distinct_weights"] <= 5
    assert any("does not shrink flash" in note for note in compression_notes(done))


@pytest.mark.slow
@needs_tensorflow
def test_a_scaled_model_averages_its_input_first(trained: Trained, tmp_path: Path) -> None:
    done = compress(
        trained.folder,
        method="scale",
        output=tmp_path / "scaled",
        options=CompressOptions(width=0.5, resolution=3),
        settings=SHORT,
        measure=False,
    )
    graph = read_model(done.int8_model)
    assert graph.tensor(graph.inputs[0]).shape == (1, 16, 2)
    names = [operator.kind for operator in graph.operators]
    assert "AVERAGE_POOL_2D" in names[: names.index("CONV_2D")]


@pytest.mark.slow
@needs_tensorflow
def test_ctrl_c_leaves_what_resume_goes_on_with_to_the_same_model(
    trained: Trained, tmp_path: Path
) -> None:
    settings = replace(SHORT, epochs=40)
    whole = _pruned(trained, tmp_path / "whole", settings)
    interrupted = tmp_path / "interrupted"
    code = (
        "import tinyml_tool as tt; tt.compress("
        f"{str(trained.folder)!r}, method='prune', output={str(interrupted)!r}, measure=False,"
        "settings=tt.TrainSettings(epochs=40, batch_size=8, learning_rate=1e-3))"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 60
    while not (work_folder(interrupted) / "checkpoint.npz").is_file():
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert b"go on with --resume" in errors
    assert not interrupted.exists()
    resumed = _pruned(trained, interrupted, settings, resume=True)
    assert resumed.record["history"] == whole.record["history"]
    assert resumed.int8_model.read_bytes() == whole.int8_model.read_bytes()


def _pruned(
    trained: Trained, output: Path, settings: TrainSettings, *, resume: bool = False
) -> Compressed:
    return compress(
        trained.folder,
        method="prune",
        output=output,
        settings=settings,
        measure=False,
        resume=resume,
    )


@pytest.mark.slow
@needs_tensorflow
def test_ctrl_c_while_measuring_keeps_the_training(trained: Trained, tmp_path: Path) -> None:
    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    out = tmp_path / "out"
    settings = replace(SHORT, epochs=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinyml_tool.api.compress.measured_row", interrupted)
        with pytest.raises(KeyboardInterrupt, match="go on with --resume"):
            _pruned(trained, out, settings)
    assert not out.exists()
    epochs: list[str] = []
    done = compress(
        trained.folder,
        method="prune",
        output=out,
        settings=settings,
        measure=False,
        resume=True,
        progress=epochs.append,
    )
    assert not any(text.startswith("epoch") for text in epochs)
    assert done.result.quality is not None


def test_a_board_that_stops_costs_a_row_its_figures_but_not_the_training(
    tmp_path, monkeypatch
) -> None:
    def stops(*_: object) -> Any:
        raise DeviceError("the emulator stopped")

    judged = SimpleNamespace(host=SimpleNamespace(anomaly=SimpleNamespace(auc=0.5)), samples=4)
    monkeypatch.setattr("tinyml_tool.api.compress.measure_cost", stops)
    monkeypatch.setattr("tinyml_tool.api.compress.evaluate", lambda *_, **__: judged)
    record = read_record(record_in(tmp_path / "given"))
    row = measured_row("pruned", record.folder / "model.keras", record, 7, load_board("qemu-m4"))
    assert row.quality == 0.5
    assert row.cost is None
    assert row.why_not == "the emulator stopped"


def test_a_board_that_nothing_emulates_is_refused_before_training(tmp_path) -> None:
    given = record_in(tmp_path / "given")
    board = load_board("qemu-m4").model_copy(update={"id": "mine", "emulator": None})
    with pytest.raises(InputError, match="'mine' is not emulated, so nothing can be") as error:
        compress(given, method="qat", output=tmp_path / "out", board=board)
    assert "tinyml boards" in str(error.value.hint)


@needs_tensorflow
def test_nothing_left_to_prune_is_told(trained: Trained, tmp_path: Path) -> None:
    narrow = tmp_path / "narrow"
    settings = replace(SHORT, epochs=1)
    train(series(), arch="conv1d:width=0.1,depth=1", output=narrow, settings=settings)
    with pytest.raises(InputError, match="no channel of conv1d can be removed"):
        compress(narrow, method="prune", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not work_folder(tmp_path / "out").exists()


@pytest.mark.slow
@needs_tensorflow
def test_the_command_tells_the_table_as_json_as_text_and_as_markdown(
    trained: Trained, tmp_path: Path
) -> None:
    words = ("-m", "cluster", "--clusters", "5", "--epochs", "4", "--no-measure", "-q", "--force")
    out = tmp_path / "out"
    told = tinyml("compress", trained.folder, *words, "-o", out, "--json")
    assert told.code == 0, told.stderr
    assert told.envelope["result"]["rows"][-1]["name"] == "cluster, int8"
    assert read_record(out).content["more"]["distinct_weights"] <= 5
    table = tinyml("compress", trained.folder, *words, "-o", out)
    assert "cluster, int8" in table.stdout
    assert "clustering does not shrink flash" in " ".join(table.stdout.split())
    table = tinyml("compress", trained.folder, *words, "-o", out, "--markdown")
    assert table.stdout.startswith("| model | accuracy | parameters |")


# What follows needs no TensorFlow: it is refused before anything is trained.


def record_in(folder: Path, **changes: Any) -> Path:
    """A folder that looks like a training's, as far as checks before the training look."""
    folder.mkdir(parents=True)
    content = {
        "schema": 1,
        "task": "classification",
        "architecture": {"name": "conv1d"},
        "settings": TrainSettings().to_json(),
        "classes": ["one", "two"],
        "normal": None,
        "input": {
            "shape": [12, 2],
            "raw_shape": [12, 2],
            "sample_rate": None,
            "features": None,
            "scaling": {"kind": "none", "offset": [0.0], "divisor": [1.0]},
        },
        "data": {"sha256": "0", "name": "waves", "kind": "series"},
        "parameters": 1,
    }
    (folder / "training.json").write_text(json.dumps({**content, **changes}))
    (folder / "model.keras").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("prune", {"share": 1.0}, "would prune everything"),
        ("prune", {"share": 0.0}, "must be above 0"),
        ("prune", {"criterion": "size"}, "unknown criterion 'size'"),
        ("prune", {"clusters": 4}, "clusters is for method cluster, not prune"),
        ("qat", {"weight_bits": 1}, "weight bits 1 is not from 2 to 8"),
        ("qat", {"ranges": "known"}, "unknown ranges 'known'"),
        ("cluster", {"clusters": 1}, "clusters 1 is not from 2 to 256"),
        ("distill", {"temperature": 0}, "temperature 0 is not from 0.1 to 100"),
        ("scale", {"width": 100.0}, "width 100 is not above 0 and at most 16"),
        ("shrink", {}, "unknown method 'shrink'"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, method, options, message) -> None:
    given = record_in(tmp_path / "given")
    with pytest.raises(InputError, match=message) as error:
        compress(given, method=method, output=tmp_path / "out", options=CompressOptions(**options))
    assert error.value.hint or method == "scale"
    assert not (tmp_path / "out").exists()


def test_a_teacher_of_other_classes_is_refused(tmp_path) -> None:
    given = record_in(tmp_path / "given")
    teacher = record_in(tmp_path / "teacher", classes=["one", "two", "three"])
    with pytest.raises(InputError, match=r"knows 3 classes \(one, two, three"):
        compress(given, method="distill", output=tmp_path / "out", teacher=teacher)


def test_a_teacher_of_other_inputs_is_refused(tmp_path) -> None:
    given = record_in(tmp_path / "given")
    source = {**json.loads((given / "training.json").read_text())["input"], "shape": [6, 2]}
    teacher = record_in(tmp_path / "teacher", input=source)
    with pytest.raises(InputError, match="takes other inputs"):
        compress(given, method="distill", output=tmp_path / "out", teacher=teacher)


def test_a_teacher_is_for_distilling_alone(tmp_path) -> None:
    given = record_in(tmp_path / "given")
    with pytest.raises(InputError, match="a teacher is for method distill, not prune"):
        compress(given, method="prune", output=tmp_path / "out", teacher=given)


def test_an_anomaly_model_is_not_distilled(tmp_path) -> None:
    given = record_in(tmp_path / "given", task="reconstruction")
    with pytest.raises(InputError, match="distillation is for classifiers"):
        compress(given, method="distill", output=tmp_path / "out")


def test_what_no_training_left_is_refused_with_the_way_to_get_there(tmp_path) -> None:
    (tmp_path / "model.keras").write_bytes(b"")
    for path in (tmp_path / "model.keras", tmp_path, tmp_path / "nothing"):
        with pytest.raises(InputError, match="is no folder of `tinyml train`") as error:
            compress(path, method="qat", output=tmp_path / "out")
        assert "--from" in str(error.value.hint)


def test_a_training_without_its_samples_is_told(tmp_path) -> None:
    given = record_in(tmp_path / "given")
    with pytest.raises(InputError, match=r"train\.npz: is not there"):
        compress(given, method="qat", output=tmp_path / "out")


def test_the_given_model_is_never_overwritten(tmp_path) -> None:
    given = record_in(tmp_path / "given")
    with pytest.raises(OutputError, match="exists"):
        compress(given, method="qat", output=given)
    with pytest.raises(InputError, match="is the given model"):
        compress(given, method="qat", output=given, force=True)


def test_memory_that_runs_out_is_told_and_leaves_nothing(tmp_path, monkeypatch) -> None:
    given = with_samples(record_in(tmp_path / "given"))
    fake = tmp_path / "python"
    event = '{"event": "error", "kind": "memory", "message": "OOM when allocating", "hint": null}'
    fake.write_text(f"#!/bin/sh\necho '{event}'\n")
    fake.chmod(0o755)
    monkeypatch.setenv(PYTHON_VARIABLE, str(fake))
    with pytest.raises(TrainingError, match="memory ran out: OOM when allocating"):
        compress(given, method="qat", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def with_samples(folder: Path) -> Path:
    for name in ("train.npz", "validation.npz", "test.npz"):
        x = np.zeros((4, 12, 2), np.float32)
        np.savez(folder / name, x=x, y=np.arange(4) % 2)
    return folder


def test_a_new_model_is_trained_as_the_given_one_was_and_an_old_one_gently(tmp_path) -> None:
    record = read_record(record_in(tmp_path / "given"))
    assert usual_settings(record, "scale") == TrainSettings()
    assert usual_settings(record, "prune").learning_rate < TrainSettings().learning_rate


def test_a_network_that_averages_its_input_goes_on_doing_so_when_it_is_narrowed(
    tmp_path, monkeypatch
) -> None:
    jobs: list[Job] = []

    def stops(job: Job, *_: object) -> Path:
        jobs.append(job)
        raise InputError("far enough")

    monkeypatch.setattr("tinyml_tool.api.compress.write_job", stops)
    given = with_samples(record_in(tmp_path / "given", averaged=2))
    for method, factor in (("scale", 1), ("distill", 3)):
        with pytest.raises(InputError, match="far enough"):
            compress(
                given,
                method=method,
                output=tmp_path / method,
                options=CompressOptions(resolution=factor),
            )
    assert [job.options["resolution"] for job in jobs] == [2, 6]


def test_the_command_refuses_with_exit_code_2(tmp_path) -> None:
    given = record_in(tmp_path / "given")
    out = tmp_path / "out"
    told = tinyml("compress", given, "-m", "prune", "--share", "1", "-o", out, "--json")
    assert told.code == 2
    assert "would prune everything" in told.error["message"]
