"""A recording in the sensor's place, on emulated boards: the application reads and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from shared import shared_model, shared_sample
from sklearn.datasets import load_digits
from source_case import (
    RAW_MOTION,
    features_of,
    inferences,
    lines_until,
    relu_model,
    source_project,
)

import tinyml_tool as tt
from tinyml_tool.api.project import open_project
from tinyml_tool.api.session import open_session
from tinyml_tool.boards import load_board
from tinyml_tool.firmware.project import write_project
from tinyml_tool.graph.reader import read_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.verify.application import feed_application
from tinyml_tool.verify.raw_samples import read_samples

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"
SIMULATED = Path(__file__).parent / "simulated_lsm6dsl.c"
TEST_PICTURES = 450
YES = 9
"""Its class in the keyword model of MLPerf Tiny."""
REPLAY = {"kind": "replay"}


def expected(model: Path, features: tt.Features, raw: NDArray[Any]) -> list[NDArray[Any]]:
    """What the reference answers to every window of the samples."""
    graph = read_model(model)
    tensor = graph.tensor(graph.inputs[0])
    assert tensor.quantization is not None
    scale, zero_point = tensor.quantization.scale, tensor.quantization.zero_point
    reference = TflmReference(model.read_bytes(), graph.name)
    windows = features.quantized(raw, scale, zero_point)
    return [reference.run([window.reshape(tensor.shape)])[0].reshape(-1) for window in windows]


def reported(folder: Path, raw: NDArray[Any], board: str) -> list[dict[int, float]]:
    """The highest stored outputs of each inference that the firmware tells, by their index."""
    (folder / "samples.raw").write_bytes(raw.tobytes())
    firmware = tt.build(folder, system="cmake")
    lines = lines_until(firmware.elf, board, "the recording is over", folder)
    return [
        {value.index: value.stored for value in report.outputs[0].top}
        for report in inferences(lines)
    ]


def assert_same(found: list[dict[int, float]], right: list[NDArray[Any]]) -> None:
    assert len(found) == len(right)
    for told, outputs in zip(found, right, strict=True):
        assert told == {index: outputs[index] for index in told}
        assert max(told.values()) == outputs.max()


@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m0"])
def test_pictures_of_digits_get_the_right_class(board: str, tmp_path: Path) -> None:
    digits = load_digits()
    pictures = np.rint(digits.images[-TEST_PICTURES:] / 16 * 255).astype(np.uint8)
    table = tt.load_features(DIGITS / "features.toml")
    model = DIGITS / "digits.tflite"
    tt.generate(model, board=board, output=tmp_path / "p", features=table, source=REPLAY)
    found = reported(tmp_path / "p", pictures.reshape(-1), board)
    assert_same(found, expected(model, tt.Features(table), pictures.reshape(-1)))
    answers = [max(told, key=lambda index: told[index]) for told in found]
    right = np.count_nonzero(np.array(answers) == digits.target[-TEST_PICTURES:])
    assert right >= 0.9 * TEST_PICTURES


@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m0"])
def test_the_driver_of_a_motion_sensor_feeds_the_model_on_an_emulated_core(
    board: str, tmp_path: Path
) -> None:
    """The project of a real board's sensor, its bus replaced by a simulated LSM6DSL."""
    features = features_of(RAW_MOTION, window=25, stride=10, std=[4.0])
    files = source_project({"kind": "replay"}, features, board)
    real = source_project({"kind": "lsm6dsl"}, features, "b_l475e_iot01a")
    drivers = ("source_lsm6dsl.c", "motion_sample.h", "tinyml_i2c.h", "tinyml_source_config.h")
    files |= {f"lib/sensors/{name}": real[f"lib/sensors/{name}"] for name in drivers}
    config = "lib/sensors/tinyml_source_config.h"
    files[config] = b"#define SOURCE_REPLAY 0\n" + files[config]
    files["lib/simulated/simulated_lsm6dsl.c"] = SIMULATED.read_bytes()
    project = tmp_path / "p"
    write_project(project, files)
    steps = np.random.default_rng(0).integers(-32768, 32768, (999, 6)).astype(np.int16)
    (project / "steps.raw").write_bytes(steps.tobytes())
    firmware = build_project(project, load_board(board), "cmake")
    assert "warning:" not in (project / "build/build.log").read_text()
    lines = lines_until(firmware.elf, board, "does not answer any more", project)
    model = tmp_path / "case.tflite"
    model.write_bytes(relu_model(features))
    right = expected(model, tt.Features(features), steps.reshape(-1))
    found = [
        {value.index: value.stored for value in report.outputs[0].top}
        for report in inferences(lines)
    ]
    assert len(found) == 98
    assert_same(found, right)


def test_a_word_in_place_of_a_real_boards_microphone_is_spotted(tmp_path: Path) -> None:
    """The project of a Nano 33 BLE with a PDM microphone, built for the emulator in its place.

    The network takes the recorded "no" for "go", on the host as on the device, because the preset
    does not scale a clip to its peak; that both say the same is what counts there.
    """
    model = shared_model("kws_ref_model.tflite")
    table = tt.load_features("kws")
    project = tmp_path / "p"
    tt.generate(model, board="nano33ble", output=project, features=table, source={"kind": "pdm"})
    clips = [shared_sample(f"{word}_1000ms.wav") for word in ("yes", "no")]
    sound = np.concatenate([read_samples(clip, table) for clip in clips])
    found = reported(project, sound, "qemu-m4")
    assert_same(found, expected(model, tt.Features(table), sound))
    assert found[0][YES] == max(found[0].values())


def test_what_a_source_hears_is_detected_by_the_answer(tmp_path: Path) -> None:
    words = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes"]
    tt.generate(
        shared_model("kws_ref_model.tflite"),
        output=tmp_path / "p",
        features=tt.load_features("kws"),
        answer={"labels": [*words, "silence", "unknown"], "threshold": 0.9},
        source=REPLAY,
    )
    firmware = tt.build(tmp_path / "p", system="cmake")
    assert "warning:" not in (tmp_path / "p/build/build.log").read_text()
    sound = read_samples(shared_sample("yes_1000ms.wav"), tt.load_features("kws"))
    (tmp_path / "p/samples.raw").write_bytes(sound.tobytes())
    lines = lines_until(firmware.elf, "qemu-m4", "the recording is over", tmp_path / "p")
    assert [line for line in lines if line.startswith("yes ")]
    assert "label=yes" in "".join(lines)


def test_the_application_tells_what_the_outputs_of_its_sensor_say(tmp_path: Path) -> None:
    """Labels, averages and detections of a recording; then of samples fed in the sensor's place."""
    digits = load_digits()
    pictures = np.rint(digits.images[-60:] / 16 * 255).astype(np.uint8).reshape(-1)
    table = tt.load_features(DIGITS / "features.toml")
    model = DIGITS / "digits.tflite"
    answer = {"labels": [f"a {n}" for n in range(10)], "threshold": 0.45, "average": 2}
    folder = tmp_path / "p"
    tt.generate(model, output=folder, features=table, source=REPLAY, answer=answer)
    (folder / "samples.raw").write_bytes(pictures.tobytes())
    firmware = tt.build(folder, system="cmake")
    lines = lines_until(firmware.elf, "qemu-m4", "the recording is over", folder)
    stream = tt.answers_of(model, answer)
    outputs = expected(model, tt.Features(table), pictures)
    here = [(stream.take(output), stream.plan.spec.labels) for output in outputs]
    wanted = [(labels[a.best or 0], a.score, a.detected is not None) for a, labels in here]
    told = [report.answer for report in inferences(lines) if report.answer is not None]
    assert [(a.label, a.score, a.detected) for a in told] == wanted
    detected = [label for label, _, found in wanted if found]
    assert 5 < len(detected) < 60
    shown = [line.rsplit(" ", 1)[0] for line in lines if line.startswith("a ")]
    assert shown == detected
    project = open_project(folder)
    with open_session(project, elf=lambda: firmware.elf) as session:
        fed = [report.answer for report in feed_application(session.client, pictures)]
    assert [(a.label, a.score, a.detected) for a in fed if a is not None] == wanted
