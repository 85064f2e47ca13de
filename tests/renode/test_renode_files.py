"""What is generated for Renode: read by a parser of its format, and played by a monitor's rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fake_monitor import Monitor, RefusedError
from project_case import small_files
from renode_boards import BOARDS, DISCOVERY, NANO_33_BLE, NETDUINO, NUCLEO_H743ZI
from repl_parser import Entry, ReplError, parse_repl

from tinyml_tool.boards import Board, load_board
from tinyml_tool.firmware.renode_files import SCRIPT_PORT, renode_files, renode_platform

EACH_BOARD = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
NAMES = {"name": "kws", "model_hash": "5ca1ab1e" * 8}


def platform(board: Board) -> dict[str, Entry]:
    return parse_repl(renode_platform(board))


def script(board: Board) -> str:
    return renode_files(board, **NAMES)[f"renode/{board.id}.resc"]


def written(board: Board, project: Path) -> Path:
    """A project with the files for Renode and a firmware where PlatformIO puts it; its script."""
    for name, text in renode_files(board, **NAMES).items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    elf = project / ".pio" / "build" / board.id / "firmware.elf"
    elf.parent.mkdir(parents=True)
    elf.write_bytes(b"\x7fELF")
    return project / "renode" / f"{board.id}.resc"


@EACH_BOARD
def test_there_are_a_platform_a_script_and_a_robot_test(board: Board) -> None:
    names = {Path(name).suffix: name for name in renode_files(board, **NAMES)}
    assert set(names) == {".repl", ".resc", ".robot"}
    assert all(name.startswith(f"renode/{board.id}.") for name in names.values())


@EACH_BOARD
def test_the_same_board_gives_the_same_text(board: Board) -> None:
    assert renode_files(board, **NAMES) == renode_files(board, **NAMES)


@EACH_BOARD
def test_no_path_of_a_machine_is_in_the_files(board: Board) -> None:
    for text in renode_files(board, **NAMES).values():
        assert not re.search(r"[\s@=\"]/\w", text)


def test_a_board_that_renode_does_not_know_has_no_files() -> None:
    assert renode_files(load_board("qemu-m4"), **NAMES) == {}


@EACH_BOARD
def test_the_platform_has_the_memory_of_the_board(board: Board) -> None:
    entries = platform(board)
    for name, region in (("flash", board.memory.flash), ("ram", board.memory.ram)):
        assert entries[name].base == region.origin
        assert entries[name].attributes["size"] == region.size


@EACH_BOARD
def test_the_uart_is_where_the_firmware_looks_for_it(board: Board) -> None:
    uart = platform(board)["uart"]
    assert (uart.base, uart.irq) == (board.uart.base, ("nvic", board.uart.irq))


@EACH_BOARD
def test_interrupts_reach_the_core(board: Board) -> None:
    entries = platform(board)
    assert entries["nvic"].base == 0xE000E000
    assert entries["nvic"].irq == ("cpu", 0)
    assert entries["cpu"].attributes["nvic"] == "nvic"


@pytest.mark.parametrize(
    ("board", "core", "uart"),
    [
        (NETDUINO, '"cortex-m4f"', "UART.STM32_UART"),
        (DISCOVERY, '"cortex-m4f"', "UART.STM32_UART"),
        (NANO_33_BLE, '"cortex-m4f"', "UART.NRF52840_UART"),
        (NUCLEO_H743ZI, '"cortex-m7"', "UART.STM32F7_USART"),
    ],
    ids=lambda value: value.id if isinstance(value, Board) else None,
)
def test_core_and_uart_are_the_models_of_the_chip(board: Board, core: str, uart: str) -> None:
    entries = platform(board)
    assert (entries["cpu"].attributes["cpuType"], entries["uart"].type) == (core, uart)


def test_an_instruction_takes_64_nanoseconds_of_the_firmwares_time() -> None:
    """As in QEMU, whose timer the firmware's own constant is for: a tick is 42 ns."""
    entries = platform(NETDUINO)
    mips, clock = entries["cpu"].attributes["PerformanceInMips"], entries["timer"]
    assert isinstance(mips, int)
    ticks_an_instruction = clock.attributes["frequency"] / 42 / (mips * 1e6)  # type: ignore[operator]
    assert ticks_an_instruction == pytest.approx(64 / 42)
    assert NETDUINO.emulator and NETDUINO.emulator.timer_hz == round(1e9 / 42)


def test_systick_runs_faster_by_the_same_factor() -> None:
    assert platform(NUCLEO_H743ZI)["nvic"].attributes["systickFrequency"] == 8 * 64_000_000


def test_options_of_a_board_file_become_attributes() -> None:
    assert platform(NANO_33_BLE)["timer"].attributes == {"numberOfEvents": 6}
    assert NANO_33_BLE.renode
    with_dma = NANO_33_BLE.renode.uart.model_copy(update={"options": {"easyDMA": True}})
    renode = NANO_33_BLE.renode.model_copy(update={"uart": with_dma})
    changed = NANO_33_BLE.model_copy(update={"renode": renode})
    assert platform(changed)["uart"].attributes == {"easyDMA": True}


@EACH_BOARD
def test_the_script_brings_up_the_machine_by_itself(board: Board, tmp_path: Path) -> None:
    monitor = Monitor(tmp_path / "elsewhere")
    monitor.run_script(written(board, tmp_path))
    assert monitor.machine == board.id
    assert monitor.elf and monitor.elf.parent.name == board.id
    assert monitor.vectors == board.memory.flash.origin
    assert monitor.ports[monitor.connected or ""] == SCRIPT_PORT


def test_the_script_takes_a_firmware_named_before(tmp_path: Path) -> None:
    path = written(NETDUINO, tmp_path)
    (tmp_path / "other.elf").write_bytes(b"\x7fELF")
    monitor = Monitor(tmp_path)
    monitor.execute("$elf=@other.elf")
    monitor.run_script(path)
    assert monitor.elf == tmp_path / "other.elf"


def test_a_reset_of_the_chip_loads_the_firmware_again(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    monitor.run_script(written(NETDUINO, tmp_path))
    monitor.elf = monitor.vectors = None
    monitor.execute("runMacro $reset")
    assert (monitor.elf is not None, monitor.vectors) == (True, 0x0800_0000)


def test_the_robot_test_runs_the_script_and_asks_for_this_model() -> None:
    lines = renode_files(NETDUINO, **NAMES)["renode/netduinoplus2.robot"].splitlines()
    steps = [re.split(r" {2,}", line.strip()) for line in lines if line.startswith("    ")]
    assert steps == [
        ["Execute Script", "${CURDIR}/netduinoplus2.resc"],
        ["Create Terminal Tester", "sysbus.uart"],
        ["Start Emulation"],
        ["Wait For Line On Uart", "tinyml: model"],
        ["Write Line To Uart", "info"],
        ["Wait For Line On Uart", NAMES["model_hash"]],
    ]


def test_a_project_has_the_files_where_its_board_can_be_emulated_so() -> None:
    files = small_files("netduinoplus2")
    assert {name for name in files if name.startswith("renode/")} == {
        f"renode/netduinoplus2.{kind}" for kind in ("repl", "resc", "robot")
    }
    assert not [name for name in small_files("qemu-m4") if name.startswith("renode/")]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (("Memory.MappedMemory", "Memory.MapedMemory"), "Could not resolve type"),
        (("    size", "  size"), "syntax error"),
        (("size: 0x100000", "Size: 0x100000"), "takes"),
        (("nvic: nvic", "nvic: gic"), "there is no 'gic'"),
        (("@ sysbus 0x20000000", "@ sysbus 0x08000100"), "overlap"),
        (("ram: Memory", "flash: Memory"), "declared twice"),
        (("<0x40011000, +0x100>", "0x40011000"), "range missing"),
    ],
)
def test_the_parser_refuses_what_renode_would(wrong: tuple[str, str], reason: str) -> None:
    text = renode_platform(NETDUINO)
    assert wrong[0] in text
    with pytest.raises(ReplError, match=reason):
        parse_repl(text.replace(*wrong, 1))


def test_the_monitor_refuses_a_device_without_its_bus(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="No such command or device: cpu"):
        Monitor(tmp_path).execute("cpu VectorTableOffset 0x08000000")
