"""Training on raw samples: the device's own C makes the inputs, and every model tells it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import tinyml
from float_models import float_classifier
from training_case import needs_tensorflow, series, wav_bytes, write_wavs

import tinyml_tool as tt
from tinyml_tool.api.train import Trained
from tinyml_tool.errors import ExitCode, InputError
from tinyml_tool.preprocess.model_features import features_of_model
from tinyml_tool.preprocess.spec import FeatureSpec, features_hash, parse_features
from tinyml_tool.preprocess.spec_toml import features_toml
from tinyml_tool.train.datasets.read import read_dataset
from tinyml_tool.train.record import read_record
from tinyml_tool.train.settings import TrainSettings
from tinyml_tool.verify.raw_samples import read_samples

SPEC = parse_features(
    {
        **{"kind": "audio", "sample_rate": 8000, "window_ms": 8.0, "stride_ms": 8.0, "frames": 6},
        **{"output": "mel", "bands": 8, "high_hz": 3800.0},
    },
    "test",
)
SHORT = TrainSettings(epochs=3, batch_size=4)


def features_in(path: Path) -> FeatureSpec | None:
    return features_of_model(path.read_bytes(), path.name)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """High and low tones of 60 ms, longer than the 48 ms that an input is made of."""
    folder = tmp_path_factory.mktemp("words")
    random = np.random.default_rng(0)
    for name, hertz in (("high", 2500), ("low", 400)):
        (folder / name).mkdir()
        for number in range(20):
            time = np.arange(480) / 8000 + random.uniform(0, 1)
            tone = 8000 * np.sin(2 * np.pi * hertz * time) + random.normal(0, 300, 480)
            (folder / name / f"{number}.wav").write_bytes(wav_bytes(tone.astype(np.int16)))
    return folder


@pytest.fixture(scope="module")
def project_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("project") / "tinyml.toml"
    path.write_text(features_toml(SPEC))
    return path


@pytest.fixture(scope="module")
def trained(words: Path, project_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return tt.train(
        words,
        arch="mlp:width=0.25,depth=1",
        output=tmp_path_factory.mktemp("trained") / "tones",
        settings=replace(SHORT, epochs=20),
        features=project_file,
    )


@needs_tensorflow
def test_the_model_learns_what_the_device_computes_of_the_files(
    trained: Trained, words: Path
) -> None:
    extractor = tt.Features(SPEC)
    files = sorted(words.rglob("*.wav"))
    known = {extractor.extract(read_samples(file, SPEC))[0].tobytes() for file in files}
    parts = [read_dataset(trained.folder / f"{name}.npz") for name in ("train", "test")]
    assert {sample.tobytes() for part in parts for sample in part.samples} <= known
    assert trained.test.confusion is not None
    assert trained.test.confusion.accuracy == 1.0


@needs_tensorflow
def test_the_record_names_the_features_with_their_hash(trained: Trained) -> None:
    record = read_record(trained.folder)
    assert record.features == SPEC
    assert record.content["input"]["features_sha256"] == features_hash(SPEC)
    assert record.scaling.kind == "none"
    assert record.raw_shape == (384,)


@needs_tensorflow
def test_a_record_with_other_features_than_its_hash_is_refused(
    trained: Trained, tmp_path: Path
) -> None:
    content = json.loads((trained.folder / "training.json").read_text())
    content["input"]["features"]["bands"] = 9
    (tmp_path / "training.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="not those of its hash"):
        read_record(tmp_path)


@needs_tensorflow
@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_quantized_models_carry_them(trained: Trained, tmp_path: Path, scheme: str) -> None:
    assert features_in(trained.float_model) == SPEC
    for source in (trained.folder, trained.float_model):
        target = tmp_path / f"{scheme}-{source.suffix[1:]}.tflite"
        result = tt.quantize(
            source, data=trained.folder / "train.npz", output=target, scheme=scheme
        )
        assert features_in(target) == SPEC
        assert tt.read_model(target).model_hash == result.graph.model_hash


@pytest.mark.slow
@needs_tensorflow
def test_so_does_what_tensorflow_quantizes_and_what_is_imported(
    trained: Trained, tmp_path: Path
) -> None:
    quantized, imported = tmp_path / "int8.tflite", tmp_path / "float.tflite"
    data = trained.folder / "calibration.npz"
    tt.quantize(trained.keras_file, data=data, output=quantized, backend="tensorflow")
    assert features_in(quantized) == SPEC
    tt.import_model(trained.float_model, output=imported)
    assert features_in(imported) == SPEC


@needs_tensorflow
def test_so_do_the_models_that_fit_a_board(trained: Trained, tmp_path: Path) -> None:
    target = tmp_path / "fit.tflite"
    table = tt.quantize_to_fit(trained.folder, board="netduinoplus2", output=target, measure=False)
    assert features_in(target) == SPEC
    made = [rung.model for rung in table.rungs if rung.model is not None]
    assert [features_of_model(model, "m") for model in made] == [SPEC] * len(made)


@needs_tensorflow
def test_so_do_compressed_models(trained: Trained, tmp_path: Path) -> None:
    done = tt.compress(
        trained.folder, method="qat", output=tmp_path / "out", settings=SHORT, measure=False
    )
    for name in ("model_float.tflite", "model_int8.tflite"):
        assert features_in(done.folder / name) == SPEC
    assert read_record(done.folder).features == SPEC


@pytest.mark.slow
@needs_tensorflow
def test_so_do_the_networks_of_a_search(words: Path, tmp_path: Path) -> None:
    found = tt.search(
        words,
        output=tmp_path / "found",
        families=["mlp"],
        candidates=1,
        settings=SHORT,
        features=SPEC,
    )
    folder = found.found[0].folder
    assert folder is not None
    for name in ("model_float.tflite", "model_int8.tflite"):
        assert features_in(folder / name) == SPEC
    assert read_record(folder).features == SPEC


@needs_tensorflow
def test_raw_data_are_evaluated_by_the_features_that_the_model_carries(
    trained: Trained, words: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.tflite"
    tt.quantize(trained.folder, output=alone)
    told = tinyml("evaluate", alone, "--data", words, "--json").envelope["result"]
    assert told["samples"] == 40
    assert told["host"]["accuracy"] == 1.0
    beside = tt.evaluate(trained.float_model, data=words)
    assert beside.samples == len(read_dataset(trained.folder / "test.npz"))
    assert "test part" in beside.data


@needs_tensorflow
def test_each_channel_is_standardized_by_the_device_itself(tmp_path: Path) -> None:
    waves = series()
    rows = [
        f"{a:.6g},{b:.6g},{waves.classes[label]},{number}"
        for number, (sample, label) in enumerate(zip(waves.samples, waves.labels, strict=True))
        for a, b in sample * (1, 50)
    ]
    (tmp_path / "waves.csv").write_text("\n".join(["x,y,label,wave", *rows]))
    table = {"kind": "series", "channels": 2, "rate": 12, "window": 12, "stride": 12}
    (tmp_path / "tinyml.toml").write_text(features_toml(parse_features(table, "test")))
    done = tinyml(
        *("train", "waves.csv", "--arch", "mlp:width=0.25", "--group-column", "wave"),
        *("--features", "tinyml.toml", "--scaling", "standardize", "--epochs", "2", "-o", "out"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.stderr
    record = read_record(tmp_path / "out")
    assert record.features is not None
    assert f"series, {features_hash(record.features)[:16]}" in done.stdout
    stored: Any = record.features.model_dump()
    # The second channel is three times the first, times 50; each has noise of its own.
    assert stored["std"][1] / stored["std"][0] == pytest.approx(150, rel=0.2)
    part = read_dataset(tmp_path / "out" / "train.npz").samples
    # The spec stores float32 figures, and the C computes in float32.
    assert part.mean(axis=(0, 1)) == pytest.approx(0, abs=1e-4)
    assert part.std(axis=(0, 1)) == pytest.approx(1, abs=1e-4)
    assert features_in(tmp_path / "out" / "model_float.tflite") == record.features
    assert record.scaling.kind == "none"


@needs_tensorflow
def test_raw_samples_calibrate_and_measure(trained: Trained, words: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.tflite"
    alone.write_bytes(trained.float_model.read_bytes())
    named = tinyml(
        "quantize", trained.float_model, "--data", words, "-o", tmp_path / "a.tflite", "--json"
    ).envelope["result"]
    assert named["data"]["calibration_samples"] == 40
    assert named["answers"]["accuracy_after"] == 1.0
    unnamed = tt.quantize(alone, data=words, output=tmp_path / "b.tflite")
    assert unnamed.answers.accuracy_after is None
    assert (tmp_path / "a.tflite").read_bytes() == (tmp_path / "b.tflite").read_bytes()


def test_raw_samples_for_a_model_without_features_are_refused(tmp_path: Path) -> None:
    (tmp_path / "float.tflite").write_bytes(float_classifier())
    write_wavs(tmp_path / "words")
    done = tinyml("quantize", "float.tflite", "--data", "words", "--json", cwd=tmp_path)
    assert done.code == ExitCode.USAGE
    assert "does not tell its features" in done.error["message"]
    assert "tinyml features store" in done.error["hint"]


# What follows is refused before anything is trained.


@pytest.mark.parametrize(
    ("words_given", "message", "hint"),
    [
        (("--features", "kwz"), "unknown preset 'kwz', did you mean 'kws'", "kws, micro_speech"),
        (("--features", "no.toml"), "no.toml: cannot be read", None),
        (("--features", "kws"), "have 8000 Hz, the features are made of 16000", "-ar 16000"),
        (("--features", "SPEC", "--scaling", "unit"), "does not go with features", "standardize"),
        (("--features", "SPEC", "--seconds", "0.01"), "has 80 values", "--seconds 0.048"),
    ],
)
def test_what_does_not_suit_the_features_is_told(
    tmp_path: Path,
    project_file: Path,
    words_given: tuple[str, ...],
    message: str,
    hint: str | None,
) -> None:
    write_wavs(tmp_path / "words", length=500)
    chosen = [str(project_file) if word == "SPEC" else word for word in words_given]
    done = tinyml("train", "words", "--arch", "mlp", "-o", "out", *chosen, "--json", cwd=tmp_path)
    assert done.code == ExitCode.USAGE
    assert message in done.error["message"]
    assert hint is None or hint in done.error["hint"]
    assert [path.name for path in tmp_path.iterdir()] == ["words"]


def test_features_that_no_table_holds_are_told(tmp_path: Path) -> None:
    (tmp_path / "tinyml.toml").write_text('[project]\nmodel = "m.tflite"\n')
    write_wavs(tmp_path / "words")
    done = tinyml(
        *("train", "words", "--arch", "mlp", "-o", "out", "-f", "tinyml.toml", "--json"),
        cwd=tmp_path,
    )
    assert done.code == ExitCode.USAGE
    assert "has no table [features]" in done.error["message"]
