"""`tinyml monitor` in a terminal: the live panel, the keys, and the terminal left in order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from detached_case import keep_request, start
from pty_board import PtyBoard
from reports import report
from terminal import Terminal

from tinyml_tool.devices.emulator_records import EmulatorRecord
from tinyml_tool.toolchain.build import Firmware

Open = Callable[..., Terminal]


@pytest.fixture
def open_monitor() -> Iterator[Open]:
    """Starts `tinyml monitor` in terminals, and closes them after the test."""
    opened: list[Terminal] = []

    def start(*arguments: str | Path, columns: int = 100, **environment: str) -> Terminal:
        command = ["monitor", *map(str, arguments)]
        opened.append(Terminal(command, columns=columns, **environment))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def test_an_inference_is_shown_with_bars_names_and_time(
    board: PtyBoard, tmp_path: Path, open_monitor: Open
) -> None:
    (tmp_path / "labels.txt").write_text("background\nyes\n")
    terminal = open_monitor(board.path, "--labels", tmp_path / "labels.txt")
    assert terminal.shows("connected", "no inference yet")
    board.print(report(1) + "\n")
    assert terminal.shows("yes", "█" * 20, "89.1 %", "background", "10.9 %", "2.00 ms")
    assert terminal.shows("least/mean/most 2.00 ms / 2.00 ms / 2.00 ms")


def test_lines_of_the_board_scroll_above(board: PtyBoard, open_monitor: Open) -> None:
    terminal = open_monitor(board.path)
    assert terminal.shows("connected")
    board.print("first\nsecond\n")
    assert terminal.shows("| first", "| second")


@pytest.mark.parametrize(("key", "line"), [("r", b"run"), ("i", b"info"), ("h", b"help")])
def test_keys_ask_the_firmware(board: PtyBoard, open_monitor: Open, key: str, line: bytes) -> None:
    terminal = open_monitor(board.path)
    assert terminal.shows("connected")
    terminal.press(key)
    assert board.received(b"\r") == b"\0" + line + b"\r"


@pytest.mark.parametrize("key", ["q", "\x03", "\x04"], ids=["q", "Ctrl-C", "Ctrl-D"])
def test_it_quits_and_leaves_the_terminal_as_it_was(
    board: PtyBoard, open_monitor: Open, key: str
) -> None:
    terminal = open_monitor(board.path)
    assert terminal.shows("connected", "q quit")
    assert not terminal.is_as_before()
    terminal.press(key)
    assert terminal.exit_status() == 0
    assert terminal.is_as_before()
    assert "0 inferences in" in terminal.text


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
def test_a_signal_leaves_the_terminal_as_it_was(
    board: PtyBoard, open_monitor: Open, how: signal.Signals
) -> None:
    terminal = open_monitor(board.path)
    assert terminal.shows("connected")
    terminal.send(how)
    assert terminal.exit_status() == 0
    assert terminal.is_as_before()


def test_a_pulled_cable_shows_and_so_does_its_return(board: PtyBoard, open_monitor: Open) -> None:
    terminal = open_monitor(board.path)
    assert terminal.shows("connected")
    board.unplug()
    assert terminal.shows("connection lost", "waiting for the board to come back")
    board.plug()
    assert terminal.shows("connected to", times=2)
    board.print(report(3) + "\n")
    assert terminal.shows("#3", "1 lost connection")


def test_an_emulated_board_is_watched_by_its_name(
    emulator: EmulatorRecord, open_monitor: Open
) -> None:
    terminal = open_monitor("qemu-m4")
    assert terminal.shows(f"qemu-m4 at {emulator.url}", "ticks (emulated)", "█")
    terminal.press("q")
    assert terminal.exit_status() == 0


def test_the_new_port_of_an_emulator_that_was_replaced_stands_in_the_title(
    reporting: tuple[Path, Firmware], emulator: EmulatorRecord, open_monitor: Open
) -> None:
    terminal = open_monitor("qemu-m4")
    assert terminal.shows(f"─ connected: qemu-m4 at {emulator.url}")
    again = start(keep_request(*reporting))
    assert terminal.shows(f"─ connected: qemu-m4 at {again.url}")
    terminal.press("q")
    assert terminal.exit_status() == 0


def test_in_a_narrow_terminal_the_bars_give_way_and_not_the_names(
    board: PtyBoard, tmp_path: Path, open_monitor: Open
) -> None:
    (tmp_path / "labels.txt").write_text("background\nyes\n")
    terminal = open_monitor(board.path, "--labels", tmp_path / "labels.txt", columns=32)
    assert terminal.shows("no inference yet")
    board.print(report(1) + "\n")
    assert terminal.shows("background  ▉", "yes         ███████", "89.1 %", "10.9 %")


def test_a_terminal_without_unicode_gets_plain_bars(board: PtyBoard, open_monitor: Open) -> None:
    terminal = open_monitor(board.path, PYTHONIOENCODING="ascii:replace")
    assert terminal.shows("connected")
    board.print(report() + "\n")
    assert terminal.shows("#" * 20, "89.1 %")
    assert "█" not in terminal.text


def test_plain_lines_can_be_had_in_a_terminal_too(board: PtyBoard, open_monitor: Open) -> None:
    terminal = open_monitor(board.path, "--plain")
    assert terminal.shows("connected")
    board.print(report(5) + "\n")
    assert terminal.shows("#5")
    assert "q quit" not in terminal.text
    terminal.press("q")
    assert terminal.exit_status() == 0


def test_progress_of_a_validation_over_a_port_tells_the_time_left(
    project: Path, emulator: EmulatorRecord
) -> None:
    terminal = Terminal(["validate", str(project), "--port", "qemu-m4", "--vectors", "35"])
    try:
        assert terminal.shows("comparing test input", " %", " left", seconds=20)
        assert terminal.exit_status(60) == 0
        assert "bit-exact" in terminal.text
    finally:
        terminal.close()
