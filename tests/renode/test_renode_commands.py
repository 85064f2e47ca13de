"""The commands with `--emulator renode`: the whole way, with a fake Renode that runs host code."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from command import tinyml
from host_firmware import FAST, build_host_firmware
from project_case import small_model
from renode_boards import DISCOVERY, NANO_33_BLE, NETDUINO
from renode_place import FakeRenode

from tinyml_tool.api.generate import generate
from tinyml_tool.api.session import board_emulated_by, choose_emulator, emulator_for
from tinyml_tool.boards import Board, load_board
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.devices.renode import RenodeDevice
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.build_flags import application_defines

BOARD = ("--board", "netduinoplus2")
RENODE = ("--emulator", "renode")
LONE = NETDUINO.model_copy(update={"emulator": None, "renode": None})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model())
    return path


@pytest.fixture
def firmware(model: Path, tmp_path: Path, fake_renode: FakeRenode) -> Path:
    """The project of the model, with a Renode that runs the firmware's C on this computer."""
    for tool in ("arm-none-eabi-gcc", "cmake", "ninja"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    project = tmp_path / "small"
    generate(model, board="netduinoplus2", output=project)
    program = build_host_firmware(project, tmp_path / "host-firmware", FAST)
    fake_renode(firmware=str(program))
    return project


def test_deploy_goes_all_the_way_through_renode(
    model: Path, firmware: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    command = ("deploy", model, *BOARD, *RENODE, "--output", again, "--name", "small")
    finished = tinyml(*command, "--with", "cmake", "--vectors", "4", "--json")
    assert finished.code == 0, finished.stderr
    parity = finished.envelope["result"]["parity"]
    assert parity["values_different"] == 0
    assert parity["values_compared"] == 4 * 2 * 4  # inputs, observed and not, output values


def test_validate_and_run_use_renode_when_asked(firmware: Path) -> None:
    common = (firmware, *RENODE, "--with", "cmake", "--json")
    parity = tinyml("validate", *common, "--vectors", "2").envelope["result"]["parity"]
    assert (parity["vectors"], parity["values_different"]) == (2, 0)
    answers = tinyml("run", *common).envelope["result"]["inferences"]
    assert len(answers[0]["outputs"][0]["values"]) == 4


def test_another_firmware_in_renode_is_not_taken_for_this_one(
    firmware: Path, tmp_path: Path, fake_renode: FakeRenode
) -> None:
    other = tmp_path / "other"
    (tmp_path / "other.tflite").write_bytes(small_model(weight=5))
    generate(tmp_path / "other.tflite", board="netduinoplus2", output=other)
    finished = tinyml("run", other, *RENODE, "--with", "cmake", "--json")
    assert finished.code == 6
    assert finished.error["code"] == "link"


def test_a_board_that_renode_does_not_know_is_refused_before_anything_is_built(
    model: Path, tmp_path: Path
) -> None:
    finished = tinyml("deploy", model, "--board", "qemu-m4", *RENODE, "--output", tmp_path / "p")
    assert finished.code == 2
    assert "board 'qemu-m4' is not emulated by renode" in finished.stderr
    assert "qemu can" in finished.stderr
    assert not (tmp_path / "p").exists()


def test_an_emulator_and_a_port_together_are_refused(model: Path, tmp_path: Path) -> None:
    both = (*RENODE, "--port", "socket://127.0.0.1:1")
    finished = tinyml("deploy", model, *BOARD, *both, "--output", tmp_path / "p")
    assert finished.code == 2
    assert "give one of them" in finished.stderr


def test_qemu_comes_first_where_the_board_has_it() -> None:
    assert choose_emulator(NETDUINO, None, None) == "qemu"
    assert isinstance(emulator_for(NETDUINO, Path("f.elf")), QemuDevice)
    assert isinstance(emulator_for(NETDUINO, Path("f.elf"), "renode"), RenodeDevice)


def test_renode_comes_by_itself_where_the_board_has_only_that() -> None:
    assert choose_emulator(DISCOVERY, None, None) == "renode"
    assert isinstance(emulator_for(DISCOVERY, Path("f.elf")), RenodeDevice)


def test_a_real_board_runs_in_qemu_unless_renode_is_asked_for() -> None:
    board = load_board("nano33ble")
    assert choose_emulator(board, None, None) == "qemu"
    assert board_emulated_by(board, "qemu").id == board_emulated_by(board, None).id == "qemu-m4"
    assert choose_emulator(board, "renode", None) == "renode"
    assert board_emulated_by(board, "renode") == NANO_33_BLE
    assert emulator_for(board, Path("f.elf"), "renode").name == "renode-nano33ble"


@pytest.mark.parametrize("board", ["nano33ble", "nucleo_h743zi"])
@pytest.mark.parametrize("system", ["platformio", "cmake"])
def test_without_renode_a_real_boards_project_builds_and_says_what_to_install(
    model: Path, tmp_path: Path, board: str, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = (f for f in os.environ["PATH"].split(os.pathsep) if not (Path(f) / "renode").exists())
    monkeypatch.setenv("PATH", os.pathsep.join(kept))
    project = tmp_path / "p"
    options = ("--board", board, *RENODE, "--with", system, "--output", project, "--json")
    finished = tinyml("deploy", model, *options)
    assert (finished.code, finished.error["message"]) == (5, "renode is not on PATH")
    assert "https://renode.io" in finished.error["hint"]
    folder = project / (".pio/build" if system == "platformio" else "build")
    assert (folder / f"renode-{board}" / "firmware.elf").is_file()
    assert {path.name for path in (project / "renode").iterdir()} == {
        f"renode-{board}.{kind}" for kind in ("repl", "resc", "robot")
    }


def test_a_board_without_any_emulator_needs_a_port() -> None:
    with pytest.raises(InputError, match="is not emulated"):
        choose_emulator(LONE, None, None)
    assert choose_emulator(LONE, None, "/dev/ttyACM0") is None


@pytest.mark.parametrize(
    ("board", "files", "layers"), [(NETDUINO, 1, 1), (DISCOVERY, 0, 1), (LONE, 0, 0)]
)
def test_an_emulated_firmware_shows_its_layers_and_only_in_qemu_has_files(
    board: Board, files: int, layers: int
) -> None:
    expected = (f"TINYML_SEMIHOSTING={files}", f"MODEL_OBSERVER={layers}")
    assert application_defines(board) == expected
