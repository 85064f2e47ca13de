"""Features in firmware of engine tflm: the same values, from the link and from a source.

These need the directory that TINYML_TFLM_DIR names, as those of test_tflm_device.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shared import shared_model, shared_sample
from tflm_case import real_tflm

import tinyml_tool as tt
from tinyml_tool.devices.inference_line import ReportedInference, parse_inference_line
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.devices.text_lines import TextLines
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.raw_samples import read_samples

BOARD = "qemu-m4"
KWS = {"preset": "kws"}


@pytest.fixture(scope="module", autouse=True)
def tflm() -> Path:
    return real_tflm(BOARD)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keyword spotting with its features and a recording for a microphone."""
    folder = tmp_path_factory.mktemp("features") / "p"
    model = shared_model("kws_ref_model.tflite")
    tt.generate(
        model, engine="tflm", output=folder, features=KWS, source={"kind": "replay"}, board=BOARD
    )
    return folder


def expected(clip: Path) -> list[np.ndarray]:
    """What the reference answers to the features of the host, window by window."""
    path = shared_model("kws_ref_model.tflite")
    graph = tt.read_model(path)
    tensor = graph.tensor(graph.inputs[0])
    assert tensor.quantization is not None
    features = tt.Features(tt.load_features("kws"))
    windows = features.quantized(
        read_samples(clip, features.spec), tensor.quantization.scale, tensor.quantization.zero_point
    )
    reference = TflmReference(path.read_bytes(), graph.name)
    return [reference.run([window.reshape(tensor.shape)])[0] for window in windows]


def test_host_and_device_make_the_same_features(project: Path) -> None:
    check = tt.check_features(project)
    assert check.exact
    assert check.values_compared >= 20_000


def test_samples_over_the_link_get_the_references_answers(project: Path) -> None:
    clip = shared_sample("yes_1000ms.wav")
    found = tt.run(project, inputs=[clip]).outputs
    right = expected(clip)
    assert len(found) == len(right) > 0
    for outputs, answer in zip(found, right, strict=True):
        assert (outputs[0].values.reshape(-1) == answer.reshape(-1)).all()


def test_a_recording_in_the_sensors_place_gets_the_references_answers(project: Path) -> None:
    clip = shared_sample("yes_1000ms.wav")
    samples = read_samples(clip, tt.load_features("kws"))
    (project / "samples.raw").write_bytes(samples.tobytes())
    firmware = tt.build(project)
    lines: list[str] = []
    text = TextLines()
    with QemuDevice(tt.load_board(BOARD), firmware.elf, directory=project) as device:
        while not any("the recording is over" in line for line in lines):
            data = device.stream.read(4096, 20)
            assert data, lines
            lines += text.feed(data)
    reports = [parse_inference_line(line) for line in lines]
    found = [report for report in reports if isinstance(report, ReportedInference)]
    right = expected(clip)
    assert len(found) == len(right)
    for report, answer in zip(found, right, strict=True):
        values = answer.reshape(-1)
        assert all(value.stored == values[value.index] for value in report.outputs[0].top)
