"""What the commands do with a real board: they use the emulated one in its place, and say so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from board_project import DIGITS
from command import tinyml

import tinyml_tool as tt
from tinyml_tool.api.build import build_real
from tinyml_tool.errors import InputError, ToolMissingError
from tinyml_tool.toolchain import registry

NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
"""A proxy that nobody is: the registry cannot be reached, whatever this computer can reach."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits") / "project"
    tt.generate(DIGITS, board="nucleo_l4r5zi", output=folder)
    return folder


@pytest.mark.parametrize("system", ["platformio", "cmake"])
def test_a_build_is_for_the_emulated_board_and_says_so(project: Path, system: str) -> None:
    result = tinyml("build", project, "--with", system, "--json")
    assert result.envelope["result"]["board"] == "qemu-m4"
    assert "qemu-m4, which is emulated in place of nucleo_l4r5zi" in result.stderr


def test_a_validation_is_exact_and_says_where_it_ran(project: Path) -> None:
    result = tinyml("validate", project, "--vectors", "3", "--json").envelope["result"]
    assert (result["board"], result["ran_on"]) == ("nucleo_l4r5zi", "qemu-m4")
    assert result["parity"]["values_compared"] > 0
    assert result["parity"]["values_different"] == 0


def test_the_verdict_for_people_names_both_boards(project: Path) -> None:
    shown = tinyml("validate", project, "--vectors", "1").stdout
    assert "nucleo_l4r5zi (emulated as qemu-m4)" in shown


def test_a_run_says_where_it_ran(project: Path) -> None:
    shown = tinyml("run", project).stdout
    assert "on qemu-m4, which is emulated in place of nucleo_l4r5zi" in shown


def test_a_deployment_to_a_core_of_another_kind_is_exact_in_its_place(tmp_path: Path) -> None:
    evidence = tt.deploy(DIGITS, board="esp32c3", output=tmp_path / "p", vectors=3)
    assert (evidence.board, evidence.ran_on) == ("esp32c3", "qemu-m3")
    assert evidence.parity.exact


def test_without_the_registry_the_real_build_says_so(project: Path) -> None:
    result = tinyml("build", project, "--real", "--json", env=NO_NETWORK)
    assert result.code == 5
    assert "'nucleo_l4r5zi' needs PlatformIO's platform 'ststm32'" in result.error["message"]
    assert "registry cannot be reached" in result.error["message"]


def test_without_the_registry_platformio_is_not_asked(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would try for a minute; that looking itself takes no longer: tests/flash/test_registry."""
    started: list[object] = []
    monkeypatch.setattr(registry, "registry_is_reachable", lambda: False)
    monkeypatch.setattr(subprocess, "Popen", lambda command, *_, **__: started.append(command))
    with pytest.raises(ToolMissingError, match="registry cannot be reached"):
        build_real(project)
    assert started == []


def test_a_failed_real_build_leaves_the_emulated_one_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "registry_is_reachable", lambda: False)
    with pytest.raises(ToolMissingError):
        build_real(project)
    assert tt.build(project).board.id == "qemu-m4"


def test_an_emulated_board_has_no_real_build(tmp_path: Path) -> None:
    tt.generate(DIGITS, board="qemu-m4", output=tmp_path / "p")
    with pytest.raises(InputError, match="'qemu-m4' is emulated"):
        build_real(tmp_path / "p")


def test_real_goes_not_with_the_emulators_build_systems(project: Path) -> None:
    result = tinyml("build", project, "--real", "--with", "cmake")
    assert result.code == 2


def test_the_list_of_boards_tells_what_stands_in_for_each() -> None:
    shown = tinyml("boards", env={"COLUMNS": "200"}).stdout
    (row,) = [line for line in shown.splitlines() if line.startswith("nucleo_l4r5zi")]
    assert "as qemu-m4" in row


def test_generating_for_a_board_warns_where_the_framework_leaves_too_little(
    tmp_path: Path,
) -> None:
    from model_builder import ModelBuilder

    builder = ModelBuilder()
    x = builder.input("int8", (2, 25_000), scale=0.5)
    y = builder.tensor("int8", (25_000, 2), scale=0.5)
    builder.operator("TRANSPOSE", [x, builder.constant([1, 0], "int32")], y)
    model = tmp_path / "wide.tflite"
    model.write_bytes(builder.build([y]))
    made = tt.generate(model, board="esp32", output=tmp_path / "p")
    assert any("will probably not fit esp32" in warning for warning in made.warnings)
    assert any("124,580 bytes of RAM" in warning for warning in made.warnings)
