"""Board files: what they hold, and what is said of a wrong one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tinyml_tool.boards import board_from_toml, load_board, load_boards
from tinyml_tool.errors import ConfigError, UnknownBoardError
from tinyml_tool.firmware.port_sources import port_sources
from tinyml_tool.resources import data_folder

GOOD = (data_folder("boards") / "netduinoplus2.toml").read_text()
EMULATED = {
    "qemu-m0": ("cortex-m0", "microbit", 256 * 1024, 16 * 1024),
    "qemu-m3": ("cortex-m3", "mps2-an385", 4 << 20, 4 << 20),
    "qemu-m4": ("cortex-m4", "mps2-an386", 4 << 20, 4 << 20),
    "qemu-m7": ("cortex-m7", "mps2-an500", 4 << 20, 4 << 20),
    "qemu-m33": ("cortex-m33", "mps2-an505", 4 << 20, 4 << 20),
    "qemu-m55": ("cortex-m55", "mps3-an547", 512 * 1024, 2 << 20),
    "netduinoplus2": ("cortex-m4", "netduinoplus2", 1 << 20, 128 * 1024),
}
RENODE_ALONE = ("renode-disco_f407vg", "renode-nano33ble", "renode-nucleo_h743zi")
TEMPLATES = data_folder("firmware_templates") / "port"


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        board_from_toml(text, "my.toml")
    assert caught.value.message.startswith("my.toml: ")
    return list(caught.value.details)


@pytest.mark.parametrize("name", EMULATED)
def test_each_emulated_board_has_its_core_machine_and_memory(name: str) -> None:
    board = load_board(name)
    assert board.emulator is not None
    memory = board.memory
    found = (board.core.name, board.emulator.machine, memory.flash.size, memory.ram.size)
    assert found == EMULATED[name]


@pytest.mark.parametrize("name", [*EMULATED, *RENODE_ALONE])
def test_every_file_that_a_board_names_exists(name: str) -> None:
    files = port_sources(load_board(name))
    assert [file for file in files if not (TEMPLATES / file).is_file()] == []


def test_every_file_of_the_port_is_used_by_some_board_or_is_the_systick_driver() -> None:
    used = {file for name in EMULATED for file in port_sources(load_board(name))}
    used |= {file for name in RENODE_ALONE for file in port_sources(load_board(name))}
    assert {path.name for path in TEMPLATES.iterdir()} - used <= {"timer_systick.c"}


def test_boards_are_sorted_and_named_as_their_files() -> None:
    names = list(load_boards())
    assert names == sorted(path.stem for path in data_folder("boards").glob("*.toml"))


def test_gcc_options_name_core_and_floating_point_unit() -> None:
    assert load_board("qemu-m3").core.gcc_flags == (
        "-mthumb",
        "-mcpu=cortex-m3",
        "-mfloat-abi=soft",
    )
    assert "-mfpu=fpv5-d16" in load_board("qemu-m7").core.gcc_flags


def test_gcc_options_switch_off_what_a_core_was_built_without() -> None:
    m33 = load_board("qemu-m33").core.model_copy(update={"dsp": False})
    m55 = load_board("qemu-m55").core.model_copy(update={"mve": False})
    assert "-mcpu=cortex-m33+nodsp" in m33.gcc_flags
    assert "-mcpu=cortex-m55+nomve" in m55.gcc_flags


def test_a_board_of_the_user_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "my-board.toml"
    path.write_text(changed('id = "netduinoplus2"', 'id = "my-board"'))
    assert load_board(path).id == "my-board"
    assert load_board(str(path)) == load_board(path)


def test_a_board_is_its_own_name() -> None:
    board = load_board("qemu-m4")
    assert load_board(board) is board


def test_pins_have_numbers() -> None:
    (stm, nrf) = (load_board(name).uart.pins for name in ("netduinoplus2", "qemu-m0"))
    assert stm is not None
    assert nrf is not None
    assert (stm.tx_number, stm.rx_number) == (22, 23)
    assert (nrf.tx_number, nrf.rx_number) == (24, 25)


@pytest.mark.parametrize("name", ["qemu-m5", "qemum4", "netduino"])
def test_an_unknown_board_comes_with_the_nearest_ones(name: str) -> None:
    with pytest.raises(UnknownBoardError, match=f"unknown board '{name}'") as caught:
        load_board(name)
    assert "did you mean" in (caught.value.hint or "")
    assert "`tinyml boards` lists them all" in (caught.value.hint or "")


def test_a_board_file_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownBoardError, match="No such file"):
        load_board(tmp_path / "none.toml")


def test_a_board_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a text file"):
        load_board(path)


def test_bad_toml_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"my\.toml: not valid TOML: .*line 2"):
        board_from_toml('id = "x"\nname = ?\n', "my.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("clock_hz = 168", "clok_hz = 168", "unknown key 'clok_hz', did you mean 'clock_hz'?"),
        ("fpu =", "fpv =", "unknown key 'core.fpv', did you mean 'fpu'?"),
        ("irq = 37", "irq = 3700", "'uart.irq' = 3700"),
        ("irq = 37", 'irq = "37"', "'uart.irq' = '37'"),
        ('name = "cortex-m4"', 'name = "cortex-m9"', "'core.name' = 'cortex-m9'"),
        ("dsp = true", "dsp = false", "a cortex-m4 has DSP instructions"),
        ("dsp = true", "dsp = true\nmve = true", "a cortex-m4 has no vector instructions"),
        ('fpu = "single"', 'fpu = "double"', "a cortex-m4 has no FPU of kind 'double'"),
        ("origin = 0x2000_0000", "origin = 0x0800_0000", "flash and ram overlap"),
        ("origin = 0x2000_0000", "origin = 0xFFFF_0000", "outside the 32-bit address space"),
        ('pins = { tx = "PB6", rx = "PB7" }', "", "needs [uart.pins] with tx and rx"),
        ('tx = "PB6"', 'tx = "PB16"', "'uart.pins.tx' = 'PB16'"),
        ('machine = "netduinoplus2"', 'machine = "x -S"', "'emulator.machine' = 'x -S'"),
        ('driver = "stm32f4"', 'driver = "pl011"', "'uart.driver' = 'pl011'"),
        ('id = "netduinoplus2"', 'id = "No Good"', "'id' = 'No Good'"),
        ('[upload]\nprotocol = "emulator"', "", "'upload' is missing"),
        ("[upload]", 'usb_ids = ["0483:DF11"]\n[upload]', "usb_ids"),
    ],
)
def test_a_wrong_key_or_value_is_named(old: str, new: str, words: str) -> None:
    assert any(words in problem for problem in problems(changed(old, new)))


def test_all_problems_are_listed_at_once() -> None:
    text = changed("irq = 37", "irq = -1").replace("fpu =", "fpv =")
    found = " ".join(problems(text))
    assert "uart.irq" in found
    assert "core.fpv" in found


def test_reading_boards_needs_neither_numpy_nor_a_template_engine() -> None:
    program = (
        "import sys; from tinyml_tool.boards import load_boards; load_boards();"
        "print({'numpy', 'jinja2', 'elftools', 'serial'} & sys.modules.keys())"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert result.stdout == "set()\n"
