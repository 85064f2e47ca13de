"""The C runtime: what is true when main() begins, and how the program ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from selftest_firmware import (
    BOARDS,
    SOURCES,
    STACK_BYTES,
    BuildFor,
    build,
    need_tools,
    number,
    play,
    read_until,
)

from tinyml_tool.boards import Board
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import DeviceFaultError


def test_initialised_zeroed_and_constructed_data_are_right_in_main(
    board: Board, selftest: BuildFor
) -> None:
    text, ending = play(board, selftest(board), "boot")
    values = {name: number(text, name) for name in ("data", "bss", "constructed")}
    assert values == {"data": 0x66666666, "bss": 0, "constructed": 42}
    assert ending.exit_status == 0


def test_floating_point_works(board: Board, selftest: BuildFor) -> None:
    text, _ = play(board, selftest(board), "boot")
    assert (number(text, "float"), number(text, "double")) == (1500, 2250)


def test_the_status_given_to_port_exit_is_the_emulators(board: Board, selftest: BuildFor) -> None:
    text, ending = play(board, selftest(board), "exit")
    assert (text, ending.exit_status) == ("ready\n", 7)


def test_an_argument_reaches_the_firmware_with_its_commas(m4: Board, selftest: BuildFor) -> None:
    text, ending = play(m4, selftest(m4), "no,such,,scenario")
    assert text == "unknown scenario: no,such,,scenario\n"
    assert ending.exit_status == 2


def test_a_reset_starts_the_program_again(board: Board, selftest: BuildFor) -> None:
    with QemuDevice(board, selftest(board), arguments="reset", time_limit=20) as device:
        received = b""
        while received.count(b"ready\n") < 3:
            data = device.stream.read(4096, 5)
            assert data
            received += data


def test_a_file_of_the_host_is_copied_whole(
    board: Board, selftest: BuildFor, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 120 + b"and a rest"
    (tmp_path / "input.bin").write_bytes(content)
    text, _ = play(board, selftest(board), "files", directory=tmp_path)
    assert (tmp_path / "output.bin").read_bytes() == content
    assert number(text, "bytes") == len(content)
    assert (number(text, "closed"), number(text, "missing")) == (1, 1)


def test_the_high_water_mark_of_the_stack_rises_with_its_use(
    board: Board, selftest: BuildFor
) -> None:
    text, _ = play(board, selftest(board), "highwater")
    before, after = number(text, "before"), number(text, "after")
    assert 0 < before < 256
    assert 600 <= after <= before + 700
    assert after < STACK_BYTES


OPTIMISATIONS = [
    *((board, "-Os") for board in BOARDS),
    *((board, level) for level in ("-O0", "-O3") for board in BOARDS if board.chip == "nrf51"),
    *((board, level) for level in ("-O0", "-O3") for board in BOARDS if board.core.mve),
]


def case_name(value: Board | str) -> str:
    return value.id if isinstance(value, Board) else value


@pytest.mark.parametrize(("board", "optimise"), OPTIMISATIONS, ids=case_name)
def test_the_port_is_free_of_warnings_and_boots_at_any_optimisation(
    board: Board, optimise: str, tmp_path: Path
) -> None:
    need_tools()
    elf = build(board, tmp_path, optimise=optimise)
    text, _ = play(board, elf, "boot")
    assert number(text, "data") == 0x66666666


def test_without_semihosting_no_breakpoint_is_left_in_the_firmware(
    board: Board, selftest: BuildFor, plain: BuildFor
) -> None:
    breakpoint_0xab = bytes([0xAB, 0xBE])
    assert breakpoint_0xab in selftest(board).read_bytes()
    assert breakpoint_0xab not in plain(board).read_bytes()


def test_a_lone_board_reports_a_fault_and_restarts(board: Board, plain: BuildFor) -> None:
    with QemuDevice(board, plain(board), time_limit=20) as device:
        read_until(device, b"hello\n")
        device.stream.write(b"f")
        with pytest.raises(DeviceFaultError, match="undefined instruction"):
            read_until(device, b"never")
        assert device.ending is None
        assert "!fault" in device.log


def test_a_stack_that_does_not_fit_is_refused_by_the_linker(m4: Board, tmp_path: Path) -> None:
    need_tools()
    with pytest.raises(AssertionError, match="a stack needs at least 512 bytes"):
        build(m4, tmp_path, stack_bytes=256)
    with pytest.raises(AssertionError, match="RAM"):
        build(m4, tmp_path, stack_bytes=m4.memory.ram.size)


def test_every_scenario_is_played_by_some_test() -> None:
    source = (SOURCES / "selftest.c").read_text()
    names = [line.split('"')[1] for line in source.splitlines() if line.startswith('    {"')]
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert names
    assert [name for name in names if f'"{name}"' not in tests] == []
