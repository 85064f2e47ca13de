"""`tinyml flash` on emulated boards: the emulator stays and serves other commands like a board."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import tinyml
from detached_case import processes_with, start

from tinyml_tool.api.flash import flash, stop_emulators
from tinyml_tool.devices.emulator_keeper import KeepRequest
from tinyml_tool.devices.emulator_records import running_emulators
from tinyml_tool.errors import InputError


def test_the_firmware_answers_other_commands_by_the_boards_name(project: Path) -> None:
    flashed = tinyml("flash", project, "--ttl", "2m", "--json").envelope["result"]
    assert flashed["port"] == "qemu-m4"
    assert flashed["url"] == f"socket://127.0.0.1:{flashed['emulator']['port']}"
    assert flashed["emulator"]["ends"] - flashed["emulator"]["started"] == 120

    by_name = tinyml("validate", project, "--port", "qemu-m4", "--vectors", "3", "--json")
    assert by_name.envelope["result"]["parity"]["values_different"] == 0
    assert by_name.envelope["result"]["instructions_per_inference"] > 0

    by_url = tinyml("run", project, "--port", flashed["url"], "--json").envelope["result"]
    assert by_url["instructions_per_inference"] > 0
    assert by_url["seconds_per_inference"] is None, "an emulator's time is no board's"


def test_ports_shows_the_emulator_and_how_to_stop_it(
    project: Path, request_to_keep: KeepRequest
) -> None:
    start(request_to_keep)
    (emulator,) = tinyml("ports", "--json").envelope["result"]["emulators"]
    assert emulator["project"] == str(project)
    assert 0 < emulator["seconds_left"] <= request_to_keep.seconds

    shown = tinyml("ports").stdout
    assert emulator["url"] in shown
    assert emulator["stop"] in shown

    words = emulator["stop"].split()[1:]
    assert tinyml(*words, "--json").envelope["result"] == {"stopped": ["qemu-m4"]}
    assert running_emulators() == ()
    assert processes_with(str(project)) == []


def test_stop_takes_a_project_or_a_board_or_all(request_to_keep: KeepRequest) -> None:
    for name in (request_to_keep.project, "qemu-m4", None):
        start(request_to_keep)
        assert [record.board for record in stop_emulators(name)] == ["qemu-m4"]
        assert running_emulators() == ()


def test_stopping_all_is_content_with_none() -> None:
    assert tinyml("flash", "--stop", "--json").envelope["result"] == {"stopped": []}


def test_stop_of_what_does_not_run_is_an_error() -> None:
    result = tinyml("flash", "--stop", "qemu-m4", "--json")
    assert (result.code, result.error["code"]) == (6, "port")
    assert "tinyml ports" in result.error["hint"]


def test_a_port_for_an_emulated_board_is_refused(project: Path) -> None:
    result = tinyml("flash", project, "--port", "/dev/ttyACM0", "--json")
    assert (result.code, result.error["code"]) == (2, "input")
    assert running_emulators() == ()


def test_a_wrong_time_to_live_is_refused(project: Path) -> None:
    result = tinyml("flash", project, "--ttl", "soon", "--json")
    assert (result.code, result.error["code"]) == (2, "input")


@pytest.mark.parametrize("seconds", [0, 8 * 86_400])
def test_a_life_too_short_or_too_long_is_refused(project: Path, seconds: float) -> None:
    with pytest.raises(InputError, match="cannot stay for"):
        flash(project, seconds=seconds)


def test_a_board_whose_emulator_does_not_run_is_told_how_to_start_it(project: Path) -> None:
    result = tinyml("validate", project, "--port", "qemu-m4", "--json")
    assert (result.code, result.error["code"]) == (6, "port")
    assert "tinyml flash" in result.error["hint"]


def test_a_model_becomes_a_project_first(tmp_path: Path, project: Path) -> None:
    model = next(project.glob("*.tflite"))
    result = tinyml("flash", model, "--output", tmp_path / "made", cwd=tmp_path)
    assert "the emulator ends in 8 h, or with: tinyml flash --stop qemu-m4" in result.stdout
    assert running_emulators()[0].project == str(tmp_path / "made")
