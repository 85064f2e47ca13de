"""Evaluation of models made by hand, so that no TensorFlow is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_builder import ModelBuilder

import tinyml_tool as tt
from tinyml_tool.api import evaluate as evaluation
from tinyml_tool.api.evaluation_data import Samples
from tinyml_tool.api.evaluation_judge import Judge
from tinyml_tool.errors import InputError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.preprocess.answer_plan import answer_plan
from tinyml_tool.preprocess.answer_spec import parse_answer
from tinyml_tool.train.record import SCHEMA

CLASSES = ("left", "middle", "right")
RNG_SEED = 5


def classifier(*, float_input: bool = False) -> bytes:
    """Three inputs, three scores: the largest input is the class.  Input scale 1/32."""
    builder = ModelBuilder()
    if float_input:
        x = builder.input("float32", (1, 3), name="x")
        weights = builder.constant(np.eye(3, dtype=np.float32))
        bias = builder.constant(np.zeros(3, np.float32))
        y = builder.tensor("float32", (1, 3), name="y")
    else:
        x = builder.input("int8", (1, 3), scale=1 / 32, zero_point=-3, name="x")
        weights = builder.constant(np.eye(3, dtype=np.int8) * 64, scale=1 / 64)
        bias = builder.constant(np.zeros(3, np.int32), scale=1 / 32 / 64)
        y = builder.tensor("int8", (1, 3), scale=1 / 32, zero_point=0, name="y")
    builder.operator("FULLY_CONNECTED", [x, weights, bias], y)
    return builder.build([y])


def mirror(size: int = 4) -> bytes:
    """An "autoencoder" that gives back only inputs up to about 1: larger ones are cut."""
    builder = ModelBuilder()
    x = builder.input("int8", (1, size), scale=1 / 16, zero_point=0, name="x")
    weights = builder.constant(np.eye(size, dtype=np.int8) * 64, scale=1 / 64)
    bias = builder.constant(np.zeros(size, np.int32), scale=1 / 16 / 64)
    y = builder.tensor("int8", (1, size), scale=1 / 128, zero_point=0, name="y")
    builder.operator("FULLY_CONNECTED", [x, weights, bias], y)
    return builder.build([y])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "sides.tflite"
    path.write_bytes(classifier())
    return path


def sides(count: int = 30) -> dict[str, Any]:
    """Samples whose largest value is their class, but for the first of each class."""
    rng = np.random.default_rng(RNG_SEED)
    labels = np.arange(count) % 3
    x = rng.uniform(-0.5, 0.5, (count, 3)).astype(np.float32)
    x[np.arange(count), np.where(np.arange(count) < 3, (labels + 1) % 3, labels)] = 1
    return {"x": x, "y": labels, "classes": np.array(CLASSES)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "sides.npz"
    path.parent.mkdir()
    np.savez(path, **sides())
    return path


def record(**changes: Any) -> dict[str, Any]:
    """The content of a training record with what is read of it."""
    return {
        "schema": SCHEMA,
        "task": "classification",
        "classes": list(CLASSES),
        "normal": None,
        "input": {
            "raw_shape": [3],
            "shape": [3],
            "scaling": {"kind": "standardize", "offset": [10.0] * 3, "divisor": [2.0] * 3},
            "features": None,
            "sample_rate": None,
        },
        "data": {"sha256": "none"},
        **changes,
    }


def test_the_confusion_is_counted_in_the_reference(model: Path, data: Path) -> None:
    found = tt.evaluate(model, data=data)
    assert found.samples == 30
    assert found.device is None
    counts = found.host.confusion
    assert counts is not None
    assert counts.classes == CLASSES
    assert counts.counts == ((9, 1, 0), (0, 9, 1), (1, 0, 9))
    assert counts.accuracy == 0.9


def test_a_float_model_is_evaluated_too(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "float.tflite"
    path.write_bytes(classifier(float_input=True))
    counts = tt.evaluate(path, data=data).host.confusion
    assert counts is not None
    assert counts.accuracy == 0.9


def test_the_record_beside_the_model_scales_raw_samples(model: Path, data: Path) -> None:
    (model.parent / "training.json").write_text(json.dumps(record()))
    raw = sides()
    np.savez(data, **{**raw, "x": raw["x"] * 2 + 10})
    counts = tt.evaluate(model, data=data).host.confusion
    assert counts is not None
    assert counts.accuracy == 0.9


def test_classes_are_matched_by_name(model: Path, data: Path) -> None:
    identity = {"kind": "none", "offset": [0.0], "divisor": [1.0]}
    facts = record(input={**record()["input"], "scaling": identity})
    (model.parent / "training.json").write_text(json.dumps(facts))
    raw = sides()
    names = np.array(CLASSES)[raw["y"]]
    only = names != "left"
    np.savez(data, x=raw["x"][only], y=names[only])
    counts = tt.evaluate(model, data=data).host.confusion
    assert counts is not None
    assert counts.counts == ((0, 0, 0), (0, 9, 1), (1, 0, 9))


def test_of_data_with_a_test_part_only_that_is_taken(model: Path, data: Path) -> None:
    np.savez(data, **sides(), split=np.array([2] * 3 + [0] * 27))
    found = tt.evaluate(model, data=data)
    assert found.samples == 3
    assert "its test part" in found.data


def test_a_training_json_of_others_is_no_record(model: Path, data: Path) -> None:
    (model.parent / "training.json").write_text('{"settings": 1}')
    assert tt.evaluate(model, data=data).samples == 30


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((4, 5)), "y": [0, 1, 2, 0]}, "a sample has 5 values"),
        ({"x": np.zeros((4, 3)), "y": [0, 1, 2, 3]}, "gives 3 values, but the data have 4 classes"),
        ({"x": np.full((4, 3), 200, np.uint8), "y": [0, 1, 2, 0]}, "samples are uint8"),
    ],
)
def test_data_that_do_not_suit_the_model_are_told(
    model: Path, data: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(data, **arrays)
    with pytest.raises(InputError, match=message) as error:
        tt.evaluate(model, data=data)
    assert error.value.hint


def test_without_data_and_record_the_way_is_told(model: Path) -> None:
    with pytest.raises(InputError, match="no training record lies beside"):
        tt.evaluate(model)


def test_an_unknown_class_is_told(model: Path, data: Path) -> None:
    (model.parent / "training.json").write_text(json.dumps(record()))
    np.savez(data, x=np.zeros((2, 3)), y=np.array(["left", "top"]))
    with pytest.raises(InputError, match="class 'top' is none of the model's"):
        tt.evaluate(model, data=data)


def test_raw_samples_for_a_model_on_features_are_told(model: Path, data: Path) -> None:
    facts = record(input={**record()["input"], "features": "mfcc"})
    (model.parent / "training.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"takes features, .*: mfcc"):
        tt.evaluate(model, data=data)
    assert tt.evaluate(model, data=data, features=lambda raw: raw * 2 + 10).samples == 30


@pytest.fixture
def anomalies(tmp_path: Path) -> tuple[Path, Path]:
    """A model that gives back values below 1, normal samples, and anomalies beyond."""
    path = tmp_path / "mirror.tflite"
    path.write_bytes(mirror())
    rng = np.random.default_rng(RNG_SEED)
    x = np.concatenate([rng.uniform(-0.9, 0.9, (20, 4)), rng.uniform(2, 4, (10, 4))])
    names = np.array(["fine"] * 20 + ["broken"] * 7 + ["worn"] * 3)
    np.savez(tmp_path / "machine.npz", x=x.astype(np.float32), y=names)
    return path, tmp_path / "machine.npz"


def test_anomalies_are_told_by_their_error(anomalies: tuple[Path, Path]) -> None:
    found = tt.evaluate(anomalies[0], data=anomalies[1], normal="fine", threshold=0.5)
    figures = found.host.anomaly
    assert figures is not None
    assert (figures.auc, figures.detected, figures.false_alarms) == (1.0, 10, 0)
    assert figures.threshold.reason == "given"


def test_a_threshold_of_the_same_samples_says_so(anomalies: tuple[Path, Path]) -> None:
    figures = tt.evaluate(anomalies[0], data=anomalies[1], normal="fine").host.anomaly
    assert figures is not None
    assert figures.detected == 10
    assert "others will do worse" in figures.threshold.reason


def test_the_threshold_comes_from_the_validation_samples(anomalies: tuple[Path, Path]) -> None:
    model, data = anomalies
    facts = record(task="reconstruction", classes=["fine"], normal="fine")
    facts["input"]["scaling"] = {"kind": "none", "offset": [0.0], "divisor": [1.0]}
    (model.parent / "training.json").write_text(json.dumps(facts))
    normal = np.random.default_rng(1).uniform(-0.9, 0.9, (40, 4)).astype(np.float32)
    np.savez(
        model.parent / "validation.npz",
        x=normal,
        y=np.zeros(40, np.int64),
        classes=np.array(["fine"]),
        prepared=True,
    )
    figures = tt.evaluate(model, data=data, false_alarms=0.1).host.anomaly
    assert figures is not None
    assert figures.anomalies == 10
    assert figures.detected == 10
    assert "of 40 normal validation samples exceed it (asked for: 10%" in figures.threshold.reason


def test_a_classifier_is_no_anomaly_model(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=1 / 32, zero_point=0, name="x")
    weights = builder.constant(np.ones((2, 4), np.int8), scale=1 / 64)
    bias = builder.constant(np.zeros(2, np.int32), scale=1 / 32 / 64)
    y = builder.tensor("int8", (1, 2), scale=1 / 32, zero_point=0, name="y")
    builder.operator("FULLY_CONNECTED", [x, weights, bias], y)
    path = tmp_path / "two.tflite"
    path.write_bytes(builder.build([y]))
    np.savez(tmp_path / "d.npz", x=np.zeros((4, 4)), y=[0, 1, 0, 1])
    with pytest.raises(InputError, match="it is no autoencoder"):
        tt.evaluate(path, data=tmp_path / "d.npz", normal="0")
    figures = tt.evaluate(path, data=tmp_path / "d.npz").host
    assert figures.auc == 0.5


def test_the_device_agrees_sample_by_sample(model: Path, data: Path) -> None:
    found = tt.evaluate(model, data=data, on="qemu-m4")
    assert found.device is not None
    assert found.device.agreement.exact
    assert found.device.agreement.samples == 30
    assert found.device.agreement.values == 90
    assert found.device.figures == found.host
    assert found.device.instructions_per_inference


def test_a_model_that_carries_its_features_is_evaluated_on_the_device(
    model: Path, data: Path
) -> None:
    """Its firmware must have them, or it would be refused."""
    tt.store_features(model, {"kind": "series", "rate": 1, "window": 3, "stride": 3})
    found = tt.evaluate(model, data=data, on="qemu-m4")
    assert found.device is not None
    assert found.device.agreement.exact


def test_a_device_that_disagrees_is_told(
    model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The firmware is made of another model than the one the reference runs."""
    honest = evaluation.TflmReference
    other = classifier().replace(bytes([64, 0, 0, 0, 64]), bytes([32, 0, 0, 0, 64]))
    assert other != classifier()
    monkeypatch.setattr(evaluation, "TflmReference", lambda _, name: honest(other, name))
    found = tt.evaluate(model, data=data, on="qemu-m4")
    assert found.device is not None
    assert not found.device.agreement.exact
    assert found.device.agreement.samples_different > 0


def test_the_answer_spec_of_the_model_decides(model: Path, data: Path) -> None:
    plain = tt.evaluate(model, data=data).host
    classes = plain.confusion.classes if plain.confusion else ()
    decided = []
    for threshold in (0.02, 1.01):
        table = {"labels": list(classes), "threshold": threshold}
        found = tt.evaluate(model, data=data, answer=table).host
        assert found.decided is not None
        assert found.confusion == plain.confusion
        assert found.decided.samples == 30
        decided.append(found.decided.decided)
    assert decided[0] > decided[1]


def test_an_answer_spec_with_other_classes_is_told(model: Path, data: Path) -> None:
    with pytest.raises(InputError, match="the answer spec calls the classes a, b, c, the data"):
        tt.evaluate(model, data=data, answer={"labels": ["a", "b", "c"], "threshold": 0.1})


def test_the_device_decides_by_the_spec_in_the_model(model: Path, data: Path) -> None:
    confusion = tt.evaluate(model, data=data).host.confusion
    assert confusion is not None
    tt.store_answer(model, {"labels": list(confusion.classes), "threshold": 0.1})
    found = tt.evaluate(model, data=data, on="qemu-m4")
    assert found.device is not None
    assert found.device.figures == found.host
    assert found.host.decided is not None
    assert found.device.answers is not None
    assert (found.device.answers.answers, found.device.answers.values_different) == (30, 0)
    assert found.to_json()["device"]["answers"]["answers"] == 30


def test_the_device_computes_the_anomaly_score_itself(anomalies: tuple[Path, Path]) -> None:
    model, data = anomalies
    tt.store_answer(model, {"kind": "anomaly", "threshold": 0.5, "labels": ["fine", "broken"]})
    found = tt.evaluate(model, data=data, on="qemu-m4")
    figures = found.host.anomaly
    assert figures is not None
    assert (figures.auc, figures.detected, figures.false_alarms) == (1.0, 10, 0)
    assert figures.threshold.reason == "of the model's answer spec"
    assert found.device is not None
    assert found.device.figures.anomaly == figures
    assert found.device.answers is not None
    assert (found.device.answers.answers, found.device.answers.exact) == (30, True)


def test_the_score_of_the_firmware_is_the_error_of_the_samples(
    anomalies: tuple[Path, Path],
) -> None:
    model, data = anomalies
    exact = tt.evaluate(model, data=data, normal="fine", threshold=0.5).host.anomaly
    table = {"kind": "anomaly", "threshold": 0.5}
    told = tt.evaluate(model, data=data, normal="fine", answer=table).host.anomaly
    assert exact is not None and told is not None
    # Scores of the spec are float32, those without it float64: 6e-8 of each other.
    assert told.median_anomaly == pytest.approx(exact.median_anomaly, rel=1e-6)
    assert told.median_normal == pytest.approx(exact.median_normal, rel=1e-6, abs=1e-9)


def test_an_anomaly_model_with_an_answer_of_classes_is_told(anomalies: tuple[Path, Path]) -> None:
    table = {"labels": ["a", "b", "c", "d"], "threshold": 0.1}
    with pytest.raises(InputError, match="its answer spec has classes"):
        tt.evaluate(anomalies[0], data=anomalies[1], normal="fine", answer=table)


def test_outputs_that_are_no_numbers_are_told() -> None:
    graph = parse_model(classifier(float_input=True), "m")
    spec = parse_answer({"labels": list(CLASSES)}, "x")
    labels = np.array([0, 1], np.int64)
    samples = Samples("two", np.zeros((2, 1, 3), np.float32), labels, CLASSES)
    outputs = [[np.array([[1, 0, 0]], np.float32)], [np.array([[1, np.nan, 0]], np.float32)]]
    with pytest.raises(InputError, match="sample 1: the model's output is no number"):
        Judge(graph, None, answer=answer_plan(spec, graph)).figures(samples, outputs)
