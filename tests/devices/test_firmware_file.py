"""A file that is no firmware for the board is refused before anything runs it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from selftest_firmware import BOARDS, BuildFor

from tinyml_tool.boards import Board
from tinyml_tool.devices.firmware_file import check_firmware
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import DeviceError


def test_the_right_firmware_passes(board: Board, selftest: BuildFor) -> None:
    check_firmware(selftest(board), board)


def test_a_missing_file_is_told(m4: Board, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="there is no firmware at"):
        check_firmware(tmp_path / "none.elf", m4)


def test_a_text_file_is_told(m4: Board, tmp_path: Path) -> None:
    (tmp_path / "text.elf").write_text("not a program")
    with pytest.raises(DeviceError, match="is no ELF file"):
        check_firmware(tmp_path / "text.elf", m4)


@pytest.mark.parametrize("kept", [0, 4, 20, 51, 60, 100, 5000])
def test_a_truncated_file_is_told(kept: int, m4: Board, selftest: BuildFor, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.elf"
    damaged.write_bytes(selftest(m4).read_bytes()[:kept])
    with pytest.raises(DeviceError, match=r"no ELF file, or a damaged one|is cut off"):
        check_firmware(damaged, m4)


def test_a_program_of_this_computer_is_told(m4: Board) -> None:
    program = shutil.which("sh")
    assert program
    with pytest.raises(DeviceError, match="holds no Arm code"):
        check_firmware(Path(program), m4)


def test_firmware_of_another_board_is_told(m4: Board, selftest: BuildFor) -> None:
    (other,) = [board for board in BOARDS if board.id == "netduinoplus2"]
    with pytest.raises(DeviceError, match="is no firmware for qemu-m4") as caught:
        QemuDevice(m4, selftest(other)).start()
    assert "0x08000000, where the board has no memory" in caught.value.message
