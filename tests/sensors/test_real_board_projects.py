"""Projects of real boards with features and a source: they compile, and run as host programs.

The frameworks are stand-ins; everything else is the files of the project.
"""

from __future__ import annotations

import os
import pty
import subprocess
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_project import STAND_IN as ARDUINO
from board_project import WARNINGS, compile_files, run
from shared import shared_model, shared_sample
from source_case import inferences

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.devices.serial_port import SerialPortDevice
from tinyml_tool.devices.text_lines import TextLines
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.raw_samples import read_samples

STAND_IN = Path(__file__).parent / "stand_in"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
OF_ARM_ONLY = ("cycle_counter.h", "restart_cortex_m.h")
KWS = {"preset": "kws"}
KWS_SOURCES = {
    "nano33ble": {"kind": "pdm"},
    "nano_rp2040_connect": {"kind": "pdm"},
    "portenta_h7": {"kind": "pdm"},
    "esp32": {"kind": "i2s"},
    "esp32s3": {"kind": "i2s"},
    "esp32c3": {"kind": "i2s"},
    "nucleo_l4r5zi": None,
}

FEW = ("nano33ble", "esp32s3")
"""One for each library."""


def generated(folder: Path, board: str, source: dict[str, Any] | None) -> Path:
    model = shared_model("kws_ref_model.tflite")
    tt.generate(model, board=board, output=folder, features=KWS, source=source)
    return folder


def sources_of(project: Path) -> list[str]:
    """What PlatformIO compiles for the real board."""
    files = [path for path in project.rglob("*.c*") if path.suffix in (".c", ".cpp")]
    names = [str(path.relative_to(project)) for path in files]
    return [
        name
        for name in names
        if name.startswith(("src/", "lib/"))
        and "lib/port/" not in name
        and "lib/port_renode/" not in name
    ]


@pytest.mark.parametrize(
    "board",
    [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in KWS_SOURCES],
)
def test_a_project_with_features_and_a_microphone_compiles(board: str, tmp_path: Path) -> None:
    project = generated(tmp_path / "p", board, KWS_SOURCES[board])
    chosen = load_board(board)
    prefix = "arm-none-eabi-" if chosen.core.is_arm else ""
    options = [*chosen.core.gcc_flags, f"-I{STAND_IN}"]
    names = sources_of(project)
    assert "lib/features/model_features.c" in names
    objects = compile_files(project, names, chosen, prefix=prefix, options=options)
    assert len(objects) == len(names)


def program_of(project: Path, board: str, *stand_ins: str) -> Path:
    """The firmware of a board as a program of the host."""
    for header in OF_ARM_ONLY:
        if (place := project / "lib/port_arduino" / header).is_file():
            place.write_bytes((ARDUINO / header).read_bytes())
    options = [*SANITIZERS, "-ffp-contract=off", f"-I{STAND_IN}"]
    objects = compile_files(
        project, sources_of(project), load_board(board), prefix="", options=options
    )
    includes = ["-std=gnu++11", *WARNINGS, f"-I{ARDUINO}", f"-I{STAND_IN}"]
    others = [str(ARDUINO / "Arduino.cpp"), *(str(STAND_IN / name) for name in stand_ins)]
    program = project / "firmware"
    run(["g++", *SANITIZERS, *includes, *others, *map(str, objects), "-o", str(program)], project)
    return program


@contextmanager
def running(program: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """Start the firmware; the name of its serial port."""
    end, port = pty.openpty()
    tty.setraw(port)
    environment = {**os.environ, "STAND_IN_FD": str(end), **settings}
    process = subprocess.Popen([str(program)], env=environment, pass_fds=[end])
    try:
        yield os.ttyname(port)
    finally:
        process.kill()
        process.wait()
        os.close(end)
        os.close(port)


def expected(samples: np.ndarray) -> list[np.ndarray]:
    """What the reference answers, window by window."""
    path = shared_model("kws_ref_model.tflite")
    graph = tt.read_model(path)
    tensor = graph.tensor(graph.inputs[0])
    assert tensor.quantization is not None
    windows = tt.Features(tt.load_features("kws")).quantized(
        samples, tensor.quantization.scale, tensor.quantization.zero_point
    )
    reference = TflmReference(path.read_bytes(), graph.name)
    return [reference.run([window.reshape(tensor.shape)])[0].reshape(-1) for window in windows]


def test_samples_over_the_wire_get_the_references_answers(tmp_path: Path) -> None:
    project = generated(tmp_path / "p", "nucleo_l4r5zi", None)
    program = program_of(project, "nucleo_l4r5zi")
    clip = shared_sample("yes_1000ms.wav")
    right = expected(read_samples(clip, tt.load_features("kws")))
    with running(program, {}) as port:
        found = tt.run(project, inputs=[clip], port=port).outputs
    assert len(found) == len(right) > 0
    for outputs, answer in zip(found, right, strict=True):
        assert (outputs[0].values.reshape(-1) == answer).all()


def test_a_microphone_gets_the_references_answers_and_leaves_the_model_to_the_link(
    tmp_path: Path,
) -> None:
    project = generated(tmp_path / "p", "esp32s3", {"kind": "i2s"})
    program = program_of(project, "esp32s3", "i2s_recording.cpp")
    clips = [shared_sample(f"{word}_1000ms.wav") for word in ("yes", "no")]
    spec = tt.load_features("kws")
    sound = np.concatenate([read_samples(clip, spec) for clip in clips])
    (tmp_path / "sound.raw").write_bytes(sound.tobytes())
    right = expected(sound)
    settings = {"STAND_IN_SOUND": str(tmp_path / "sound.raw")}
    with running(program, settings) as port:
        found = inferences(lines_of(port, len(right)))
        for report, answer in zip(found, right, strict=True):
            assert all(value.stored == answer[value.index] for value in report.outputs[0].top)
        assert tt.validate(project, port=port, vectors=2).parity.exact


def lines_of(port: str, reports: int) -> list[str]:
    """What the firmware prints until so many inferences are told."""
    lines: list[str] = []
    text = TextLines()
    with SerialPortDevice(port) as device:
        while sum("!inference" in line for line in lines) < reports:
            data = device.stream.read(4096, 20)
            assert data, lines[-3:]
            lines += text.feed(data)
    return lines


def test_a_microphone_that_does_not_start_is_told_and_the_link_works(tmp_path: Path) -> None:
    project = generated(tmp_path / "p", "esp32s3", {"kind": "i2s"})
    program = program_of(project, "esp32s3", "i2s_recording.cpp")
    with running(program, {}) as port:
        with SerialPortDevice(port) as device:
            said = b""
            while b"source i2s: its library refuses the settings" not in said:
                data = device.stream.read(4096, 10)
                assert data, said
                said += data
        assert tt.validate(project, port=port, vectors=1).parity.exact
