"""`validate` on a serial port, the way a user runs it, on lines and with devices of all kinds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from faulty_stream import FaultyStream
from host_firmware import build_host_firmware
from link_device import DeviceStream
from project_case import small_model
from pty_line import PtyLine

import tinyml_tool as tt
from tinyml_tool.api.time_left import wire_bytes
from tinyml_tool.boards import load_board
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import ExitCode, InputError, LinkError
from tinyml_tool.firmware.protocol_header import PROTOCOL_HEADER
from tinyml_tool.graph.reader import read_model
from tinyml_tool.verify.evidence import Evidence

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits" / "digits.tflite"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tt.generate(DIGITS, output=tmp_path_factory.mktemp("digits") / "project").project


@pytest.fixture(scope="module")
def program(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's firmware for this computer, with sanitizers."""
    return build_host_firmware(project, tmp_path_factory.mktemp("firmware") / "firmware")


@pytest.fixture(scope="module")
def digit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An input in whose layers no two pieces are alike, as those of the made extremes are."""
    path = tmp_path_factory.mktemp("inputs") / "digit.npy"
    np.save(path, np.random.default_rng(11).integers(-128, 128, (1, 8, 8, 1), np.int8))
    return path


def validate(project: Path, line: PtyLine, **options: object) -> Evidence:
    evidence = tt.validate(project, port=line.name, **options)  # type: ignore[arg-type]
    print(line.traffic)
    return evidence


@pytest.mark.parametrize(("rate", "times"), [(0.0001, 12), (0.001, 4), (0.005, 1)])
def test_a_bad_line_costs_time_but_no_value(
    project: Path, program: Path, digit: Path, rate: float, times: int
) -> None:
    stream = FaultyStream(DeviceStream(program), rate, seed=5)
    with PtyLine(stream) as line:
        for _ in range(times):
            assert validate(project, line, inputs=[digit]).parity.exact
        print(stream.faults)
    assert stream.faults
    assert line.traffic.recoveries > 0


def wrong_firmware(project: Path, folder: Path) -> Path:
    """The project's firmware with one weight changed, for this computer."""
    wrong = shutil.copytree(project, folder / "wrong")
    model = wrong / "lib" / "model" / "model.c"
    text, count = re.subn(r"(?<=\] = \{\n  )-?\d+", "1", model.read_text(), count=1)
    assert count == 1
    model.write_text(text)
    return build_host_firmware(wrong, folder / "firmware")


def test_a_wrong_weight_is_seen_through_a_bad_line(
    project: Path, digit: Path, tmp_path: Path
) -> None:
    """What the other tests would see if the link let a wrong value pass."""
    program = wrong_firmware(project, tmp_path)
    with PtyLine(FaultyStream(DeviceStream(program), 0.001, seed=5)) as line:
        parity = validate(project, line, inputs=[digit]).parity
    assert parity.values_different > 0
    assert parity.first_difference is not None
    assert parity.first_difference.place.layer == 0


def test_checksums_spare_the_layers_that_agree(project: Path, program: Path, digit: Path) -> None:
    with PtyLine(DeviceStream(program)) as line:
        full = validate(project, line, inputs=[digit]).parity
        bytes_of_all = line.traffic.to_host
        parity = validate(project, line, inputs=[digit], checksums=True).parity
        bytes_by_checksum = line.traffic.to_host - bytes_of_all
    assert parity.exact
    assert parity.values_compared == full.values_compared
    assert parity.values_by_checksum == parity.values_compared - 10, "all but the outputs"
    assert bytes_by_checksum < bytes_of_all / 3


@pytest.mark.parametrize("checksums", [False, True])
def test_the_bytes_foretold_for_the_time_left_are_about_those_that_move(
    project: Path, program: Path, digit: Path, checksums: bool
) -> None:
    graph = read_model(DIGITS)
    with PtyLine(DeviceStream(program)) as line:
        validate(project, line, inputs=[digit], checksums=checksums)
        first = line.traffic.to_device + line.traffic.to_host
        validate(project, line, inputs=[digit, digit], checksums=checksums)
    moved = line.traffic.to_device + line.traffic.to_host - 2 * first  # by comparing, and no more
    foretold = wire_bytes(graph, layers=True, checksums=checksums)
    assert 0.7 * moved < foretold < 1.4 * moved


def test_checksums_without_layers_make_no_sense(project: Path) -> None:
    with pytest.raises(InputError, match="no layer is to be compared"):
        tt.validate(project, port="/dev/null", layers=False, checksums=True)


def test_checksums_find_what_a_full_comparison_finds(
    project: Path, digit: Path, tmp_path: Path
) -> None:
    program = wrong_firmware(project, tmp_path)
    with PtyLine(DeviceStream(program)) as line:
        full = validate(project, line, inputs=[digit]).parity
        parity = validate(project, line, inputs=[digit], checksums=True).parity
    assert parity.values_different == full.values_different > 0
    assert parity.first_difference == full.first_difference


@pytest.mark.parametrize("seed", range(2))
def test_a_hopeless_line_is_told(project: Path, program: Path, seed: int) -> None:
    stream = FaultyStream(DeviceStream(program), 0.05, seed)
    with PtyLine(stream) as line, pytest.raises(LinkError) as caught:
        validate(project, line, vectors=1, time_limit=1.5)
    assert caught.value.hint
    assert caught.value.exit_code == ExitCode.DEVICE


def test_a_reset_in_the_middle_is_told_and_the_next_try_is_right(
    project: Path, program: Path, digit: Path
) -> None:
    stream = FaultyStream(DeviceStream(program), 0.0, seed=1, reset_rate=0.0005)
    told, exact = 0, 0
    with PtyLine(stream) as line:
        for _ in range(12):
            try:
                evidence = validate(project, line, inputs=[digit])
            except LinkError as error:
                assert "restarted in the middle" in error.message
                told += 1
            else:
                assert evidence.parity.exact
                exact += 1
    print(stream.faults)
    assert told > 0
    assert exact > 0


@pytest.mark.parametrize("baud", [9_600, 2_000_000])
def test_a_line_of_any_speed_needs_no_request_twice(tmp_path: Path, baud: int) -> None:
    """Pieces of 1,024 bytes take more than a second at 9,600 baud.

    HELLO alone may come before the device listens.
    """
    (tmp_path / "model.tflite").write_bytes(small_model(inputs=1600))
    project = tt.generate(tmp_path / "model.tflite", output=tmp_path / "project").project
    program = build_host_firmware(project, tmp_path / "firmware")
    with PtyLine(DeviceStream(program), baud) as line:
        assert validate(project, line, vectors=1, layers=False).parity.exact
    assert line.traffic.sent_again <= 1


def test_a_device_with_an_older_protocol_is_told(
    project: Path, program: Path, tmp_path: Path
) -> None:
    old = shutil.copytree(project, tmp_path / "old")
    header = old / "lib" / "link" / PROTOCOL_HEADER
    now = "#define TINYML_PROTOCOL_VERSION 1u\n"
    assert now in header.read_text()
    header.write_text(header.read_text().replace(now, "#define TINYML_PROTOCOL_VERSION 0u\n"))
    program = build_host_firmware(old, tmp_path / "firmware")
    with PtyLine(DeviceStream(program)) as line, pytest.raises(LinkError) as caught:
        validate(project, line, vectors=1)
    assert "speaks version 0 of the link protocol" in caught.value.message
    assert "flash the firmware again" in (caught.value.hint or "")


def test_firmware_in_the_emulator_survives_a_bad_line_too(project: Path, digit: Path) -> None:
    elf = tt.build(project, system="cmake").elf
    with QemuDevice(load_board("qemu-m4"), elf, time_limit=120) as device:
        stream = FaultyStream(device.stream, 0.001, seed=2)
        with PtyLine(stream) as line:
            assert validate(project, line, inputs=[digit, digit]).parity.exact
    assert stream.faults
