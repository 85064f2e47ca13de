"""The files of real boards: plausible, checked against PlatformIO's, strict."""

from __future__ import annotations

from pathlib import Path

import pytest
from board_project import REAL_BOARDS

from tinyml_tool.boards import (
    board_from_toml,
    emulated_board,
    emulated_boards,
    load_board,
    load_boards,
)
from tinyml_tool.errors import ConfigError
from tinyml_tool.resources import data_folder

EXPECTED = {
    "b_l475e_iot01a",
    "disco_f411ve",
    "esp32",
    "esp32c3",
    "esp32s3",
    "feather_nrf52840",
    "microbit_v2",
    "nano33ble",
    "nano_rp2040_connect",
    "nrf52840_dk",
    "nucleo_f401re",
    "nucleo_f446re",
    "nucleo_f746zg",
    "nucleo_g474re",
    "nucleo_h743zi",
    "nucleo_l432kc",
    "nucleo_l476rg",
    "nucleo_l4r5zi",
    "nucleo_u575zi_q",
    "nucleo_wb55rg",
    "pico",
    "pico_w",
    "portenta_h7",
    "sparkfun_edge",
    "teensy40",
    "teensy41",
    "xiao_nrf52840_sense",
}
GOOD = (data_folder("boards") / "nucleo_l4r5zi.toml").read_text()

each_board = pytest.mark.parametrize("name", REAL_BOARDS)


def test_the_boards_that_people_use_are_there() -> None:
    assert set(REAL_BOARDS) >= EXPECTED
    assert len(REAL_BOARDS) >= 24


@each_board
def test_memory_and_clock_are_plausible(name: str) -> None:
    board = load_board(name)
    assert 256 * 1024 <= board.memory.flash.size <= 8 * 1024 * 1024
    assert 64 * 1024 <= board.memory.ram.size <= 1024 * 1024
    assert 32_000_000 <= board.clock_hz <= 600_000_000
    assert board.memory.framework is not None
    assert board.memory.framework.ram < board.memory.ram.size
    assert board.memory.framework.flash < board.memory.flash.size


@each_board
def test_the_timer_is_the_cycle_counter_where_the_core_has_one(name: str) -> None:
    board = load_board(name)
    has_one = board.core.is_arm and board.core.name not in ("cortex-m0", "cortex-m0plus")
    expected = ("dwt", board.clock_hz) if has_one else ("micros", 1_000_000)
    assert (board.timer.driver, board.timer.hz) == expected


@each_board
def test_the_emulated_board_in_its_place_has_the_core_or_a_note_says_what_it_shows(
    name: str,
) -> None:
    board = load_board(name)
    emulated = emulated_board(board)
    assert emulated.emulator is not None
    assert board.emulation_note or emulated.core.name == board.core.name
    assert board.core.dsp == emulated.core.dsp or board.emulation_note
    assert emulated.memory.ram.size >= board.memory.ram.size
    assert emulated.memory.flash.size >= board.memory.flash.size or name == "teensy41"


@each_board
def test_a_difference_to_platformios_data_has_a_reason_and_no_reason_is_idle(name: str) -> None:
    board = load_board(name)
    assert board.checked is not None
    ours = (board.memory.flash.size, board.memory.ram.size, board.clock_hz)
    theirs = (board.checked.flash, board.checked.ram, board.checked.clock_hz)
    assert (ours != theirs) == (board.checked.because is not None)


@each_board
def test_the_release_that_was_checked_is_the_one_that_projects_use(name: str) -> None:
    board = load_board(name)
    assert board.checked is not None
    assert board.checked.version in (board.platformio.package or "")
    if "https://" in (board.platformio.package or ""):
        assert board.checked.repository in (board.platformio.package or "")


@each_board
def test_the_file_that_was_checked_is_of_the_board_that_projects_name(name: str) -> None:
    board = load_board(name)
    assert board.checked is not None
    same = board.checked.file == f"boards/{board.platformio.board}.json"
    assert same or board.platformio.note


@each_board
def test_a_usb_id_belongs_to_a_board_that_can_be_found(name: str) -> None:
    board = load_board(name)
    assert board.arduino is not None
    assert board.usb_ids or "USB-serial adapter" in board.arduino.wire


def changed(*pairs: tuple[str, str]) -> str:
    text = GOOD
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def problems(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        board_from_toml(text, "my.toml")
    return "\n".join(caught.value.details)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('driver = "arduino"', 'driver = "arduino"\nbase = 1', "driver 'arduino' takes no base"),
        ('driver = "arduino"', 'driver = "cmsdk"', "needs base and clock_hz and irq"),
        ('emulated_as = "qemu-m4"\n', "", "a board with [arduino] needs emulated_as"),
        ('driver = "dwt"', 'driver = "micros"', "counts with timer.hz = 1_000_000"),
        ('driver = "dwt"', 'driver = "systick"', "needs timer.driver 'dwt' or 'micros'"),
        ('chip = "stm32"', 'chip = "avr"', "'arduino.chip' = 'avr'"),
        ('chip = "stm32"', 'serail = "Serial1"', "unknown key 'arduino.serail', did you mean"),
        ("ststm32 @ 19.6.0", "ststm32", "'platformio.package' = 'platformio/ststm32'"),
        ("ststm32 @ 19.6.0", "ststm32 @ ^19.0.0", "'platformio.package'"),
        ('"-DSERIAL_RX_BUFFER_SIZE=1024"', '"-DA=1 ; evil"', "'platformio.build_flags.0'"),
        ("[upload]", '[emulator]\nkind = "qemu"\nmachine = "x"\n[upload]', "has no [emulator]"),
        ('name = "cortex-m4"\nfpu = "single"\ndsp = true', 'name = "rv32imc"', "no cycle counter"),
        ('name = "cortex-m4"', 'name = "rv32imc"', "a rv32imc has no FPU of kind 'single'"),
        ('name = "cortex-m4"', 'name = "xtensa-lx6"', "a xtensa-lx6 has no DSP instructions"),
        ("framework = { flash = 26_000, ram = 1_600 }", "", "needs memory.framework"),
        ("receive_bytes = 1_024\n", "", "'arduino.receive_bytes' is missing"),
    ],
)
def test_a_wrong_key_or_value_of_a_real_board_is_named(old: str, new: str, words: str) -> None:
    assert words in problems(changed((old, new)))


def test_an_emulated_board_takes_nothing_of_a_framework() -> None:
    text = (data_folder("boards") / "qemu-m4.toml").read_text()
    found = problems(text.replace("clock_hz", 'emulated_as = "qemu-m3"\nclock_hz', 1))
    assert "emulated_as: only for boards with [arduino]" in found


def test_a_board_that_is_not_emulated_cannot_stand_in(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(changed(("qemu-m4", "nucleo_f401re")))
    with pytest.raises(ConfigError, match="'nucleo_f401re' is no emulated board"):
        emulated_board(load_board(path))


@pytest.mark.parametrize("name", ["qemu-m3", "qemu-m4", "netduinoplus2", "nano33ble"])
def test_what_renode_runs_beside_it_has_its_core_and_is_for_renode(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    renode_as = f'emulated_as = "netduinoplus2"\nrenode_as = "{name}"'
    path.write_text(changed(('emulated_as = "qemu-m4"', renode_as)))
    with pytest.raises(ConfigError, match=f"renode_as = '{name}'"):
        emulated_boards(load_board(path))


@pytest.mark.parametrize("name", ["nano33ble", "nucleo_h743zi"])
def test_the_chips_that_renode_knows_stand_beside_the_board_of_qemu(name: str) -> None:
    first, second = emulated_boards(load_board(name))
    assert first == emulated_board(load_board(name))
    assert (second.id, second.emulator) == (f"renode-{name}", None)
    assert second.core == load_board(name).core


def test_only_real_boards_have_a_second_one_for_renode() -> None:
    text = (data_folder("boards") / "qemu-m4.toml").read_text()
    found = problems(text.replace("clock_hz", 'renode_as = "netduinoplus2"\nclock_hz', 1))
    assert "renode_as: only for boards with [arduino]" in found


def test_an_emulated_board_stands_for_itself() -> None:
    for board in load_boards().values():
        if not board.is_real:
            assert emulated_board(board) is board


def test_gcc_has_options_for_arm_cores_only() -> None:
    assert load_board("pico").core.gcc_flags == (
        "-mthumb",
        "-mcpu=cortex-m0plus",
        "-mfloat-abi=soft",
    )
    assert load_board("esp32").core.gcc_flags == ()
