"""The device itself says what its outputs mean: run, validate, and the handshake."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import tinyml
from feature_case import model_for, raw_samples, spec_of
from project_case import small_model
from test_stored_answers import autoencoder

import tinyml_tool as tt
from tinyml_tool.api.project import open_project
from tinyml_tool.api.session import open_session
from tinyml_tool.errors import LinkError
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.preprocess.model_plan import plan_for_model
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.toolchain.features_binding import FeatureStream
from tinyml_tool.verify.application import feed_application

pytestmark = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None or shutil.which("arm-none-eabi-gcc") is None,
    reason="needs QEMU and arm-none-eabi-gcc",
)

FOUR = {"labels": ["a", "b", "c", "d"], "threshold": 7.0, "average": 3, "refractory": 2}
ANOMALY = {"kind": "anomaly", "threshold": 20.0}


@pytest.fixture(scope="module", params=[FOUR, ANOMALY], ids=["classes", "anomaly"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("answers")
    model = folder / "m.tflite"
    model.write_bytes(small_model() if request.param is FOUR else autoencoder())
    tt.store_answer(model, request.param)
    tt.generate(model, output=folder / "p")
    return folder / "p"


def answers_here(project: Path, inputs: list[np.ndarray[Any, Any]]) -> list[tuple[Any, float]]:
    """(label, score) of each input by itself: the reference, then the C on this computer."""
    opened = open_project(project)
    reference = TflmReference(opened.source.data, "m")
    assert opened.answer is not None
    stream = tt.answers_of(project / "m.tflite")
    told = [stream.alone(reference.run([one])[0], one) for one in inputs]
    return [(stream.label(answer), answer.score) for answer in told]


def test_run_tells_what_the_device_says(project: Path, tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    size = open_project(project).source.graph
    shape = size.tensors[size.inputs[0]].shape
    inputs = [chance.integers(-128, 128, shape).astype(np.int8) for _ in range(6)]
    files = []
    for number, values in enumerate(inputs):
        files.append(tmp_path / f"{number}.npy")
        np.save(files[-1], values)
    result = tt.run(project, inputs=files, system="cmake")
    assert [(a.label, a.score) for a in result.answers] == answers_here(project, inputs)
    told = result.to_json()["inferences"][0]["answer"]
    assert told["label"] == result.answers[0].label
    assert len({a.label for a in result.answers}) + len({a.score for a in result.answers}) > 3


def test_validate_compares_the_devices_answers(project: Path) -> None:
    evidence = tt.validate(project, vectors=8, system="cmake")
    assert evidence.parity.exact
    assert evidence.answers is not None
    assert (evidence.answers.answers, evidence.answers.values_different) == (8, 0)
    assert evidence.answers.values_compared >= 8 * 5
    assert evidence.memory is not None
    assert evidence.memory.answer_bytes == evidence.to_json()["memory"]["answer_bytes"]
    assert evidence.to_json()["answers"]["values_different"] == 0


def test_a_firmware_with_other_answers_is_refused(project: Path) -> None:
    """The project file is edited after the firmware was built, as a port would meet it."""
    opened = open_project(project)
    assert opened.answer is not None
    elf = build_project(project, opened.board, "cmake").elf
    changed = opened.answer.model_copy(update={"refractory": 9})
    edited = type(opened)(**{**vars(opened), "answer": changed})
    with (
        pytest.raises(LinkError, match=r"has the answer spec .*, expected") as caught,
        open_session(edited, elf=lambda: elf),
    ):
        pass
    assert str(opened.answer_hash)[:16] in caught.value.message
    assert str(edited.answer_hash)[:16] in caught.value.message
    assert "generate, build and flash" in str(caught.value.hint)


def test_a_device_that_answers_differently_is_a_mismatch(project: Path, tmp_path: Path) -> None:
    """Its C was changed by hand: exit code 7 with the first difference."""
    folder = tmp_path / "p"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("build", ".pio"))
    code = folder / "lib/answer/model_answer.c"
    text = code.read_text()
    assert "(struct answer){.detected = detected" in text.replace("\n      ", "")
    code.write_text(text.replace(".score = ", ".score = 0.5f + "))
    result = tinyml("validate", folder, "--with", "cmake", "--vectors", "3", "--json")
    assert result.code == 7
    assert "values of answers differ" in result.envelope["error"]["message"]


def test_check_compares_a_whole_stream_and_counts(project: Path) -> None:
    result = tinyml("answers", "check", project, "--with", "cmake", "--windows", "60", "--json")
    assert result.code == 0
    told = result.envelope["result"]
    assert told["exact"]
    assert told["parity"]["answers"] == 60
    assert told["parity"]["values_compared"] >= 60 * 5
    assert told["detections"] > 0
    assert 50 < told["instructions_per_window"] < 1000
    shown = tinyml("answers", "check", project, "--with", "cmake")
    assert "the same on host and device, bit for bit" in shown.stdout


def test_build_and_inspect_tell_the_memory_of_answers(project: Path, tmp_path: Path) -> None:
    expected = read_manifest(project).answer_ram_bytes
    built = tinyml("build", project, "--with", "cmake", "--json")
    assert built.envelope["result"]["memory"]["answer_bytes"] == expected
    assert built.envelope["result"]["memory"]["features_bytes"] is None
    assert f", answer {expected:,} and stack" in tinyml("build", project, "--with", "cmake").stdout
    model = project / "m.tflite"
    inspected = tinyml("inspect", model, "--board", "qemu-m0", "--json").envelope["result"]
    assert inspected["answer"]["ram_bytes"] == expected
    assert inspected["footprint"]["input_and_answer_bytes"] == expected
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(small_model() if inspected["outputs"][0]["shape"] == [1, 4] else autoencoder())
    without = tinyml("inspect", bare, "--board", "qemu-m0", "--json").envelope["result"]
    assert without["answer"] is None
    more = inspected["boards"][0]["ram_bytes"] - without["boards"][0]["ram_bytes"]
    assert more == expected
    assert f"answer: {expected:,} bytes of RAM" in tinyml("inspect", model).stdout


def test_check_of_a_project_without_answers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(small_model())
    tt.generate(tmp_path / "m.tflite", output=tmp_path / "p")
    result = tinyml("answers", "check", tmp_path / "p", "--json")
    assert result.code == 2
    assert "was generated without [answer]" in result.envelope["error"]["message"]


def windows_here(model: bytes, spec: FeatureSpec, samples: np.ndarray[Any, Any]) -> list[Any]:
    graph = parse_model(model, "m")
    tensor = graph.tensors[graph.inputs[0]]
    made = FeatureStream(plan_for_model(spec, graph)).extract(samples)
    reference = TflmReference(model, "m")
    inputs = [window.reshape(tensor.shape) for window in made]
    return [(one, reference.run([one])[0]) for one in inputs]


@pytest.mark.parametrize("board", ["qemu-m4", pytest.param("qemu-m0", marks=pytest.mark.slow)])
def test_raw_samples_become_answers_on_the_device(tmp_path: Path, board: str) -> None:
    """An autoencoder, so to say, of features: windows average, one detection in a while."""
    spec = spec_of("summary")
    model = model_for(spec)
    path = tmp_path / "m.tflite"
    path.write_bytes(model)
    table = {"kind": "anomaly", "threshold": 1e-4, "average": 2, "refractory": 3}
    tt.store_features(path, spec)
    tt.store_answer(path, table)
    made = tt.generate(path, board=board, output=tmp_path / "p")
    samples = raw_samples("summary")
    (tmp_path / "motion.raw").write_bytes(samples.tobytes())
    result = tt.run(made.project, inputs=[tmp_path / "motion.raw"], system="cmake")
    stream = tt.answers_of(path)
    windows = windows_here(model, spec, samples)
    here = [stream.take(output, given) for given, output in windows]
    assert len(here) == len(result.answers) > 20
    assert [a.score for a in result.answers] == [a.score for a in here]
    assert [a.detected for a in result.answers] == [
        None if a.detected is None else "anomaly" for a in here
    ]
    detections = sum(a.detected is not None for a in result.answers)
    assert 0 < detections < len(here) / 3


@pytest.mark.parametrize(
    ("board", "answered"),
    [("qemu-m4", True), ("qemu-m0", False), pytest.param("qemu-m0", True, marks=pytest.mark.slow)],
)
def test_the_application_reports_what_the_host_computes(
    tmp_path: Path, board: str, answered: bool
) -> None:
    """src/main.c itself, fed over the link as by its sensor, twice in a row."""
    spec = spec_of("summary")
    path = tmp_path / "m.tflite"
    path.write_bytes(model_for(spec))
    table = {"kind": "anomaly", "threshold": 1e-4, "average": 2, "refractory": 3}
    table |= {"labels": ["as usual", "odd = 100 %"]}
    tt.store_features(path, spec)
    if answered:
        tt.store_answer(path, table)
    project = tt.generate(path, board=board, output=tmp_path / "p").project
    opened = open_project(project)
    samples = raw_samples("summary", amount=0.4)
    windows = windows_here(path.read_bytes(), spec, samples)
    elf = build_project(project, opened.board, "cmake").elf
    with open_session(opened, elf=lambda: elf) as session:
        found = [feed_application(session.client, samples) for _ in range(2)]
        again = session.runner.run([windows[0][0]])[0]  # the link still has the model
    np.testing.assert_array_equal(again, windows[0][1])
    for reports in found:
        assert len(reports) == len(windows) > 10
        for report, (_, output) in zip(reports, windows, strict=True):
            top = report.outputs[0].top[0]
            assert (top.index, top.stored) == (int(output.argmax()), int(output.max()))
        if answered:
            stream = tt.answers_of(path)
            here = [stream.take(output, given) for given, output in windows]
            told = [report.answer for report in reports if report.answer is not None]
            assert [(a.best, a.score) for a in told] == [(a.best, a.score) for a in here]
            assert [a.label for a in told] == [stream.label(a) for a in here]
            assert [a.detected for a in told] == [a.detected is not None for a in here]
            assert "odd = 100 %" in session.client.text
