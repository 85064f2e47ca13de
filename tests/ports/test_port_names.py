"""What a user may call a port, and what it turns out to be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tinyml_tool.boards import load_board
from tinyml_tool.devices.emulator_records import EmulatorRecord, PublishedRecord, note_end
from tinyml_tool.devices.port_names import PortTarget, find_port, only_port, same_port
from tinyml_tool.devices.ports import SerialPort
from tinyml_tool.errors import PortError

NANO = SerialPort("/dev/ttyACM0", "Nano", "2341:805a", "A1", "1-2:1.0")
MOVED = SerialPort("/dev/ttyACM4", "Nano", "2341:805a", "A1", "1-2:1.0")
UART = SerialPort("/dev/ttyS0")


def found(name: str, *ports: SerialPort) -> PortTarget:
    return find_port(name, listing=lambda: ports)


@contextmanager
def running(board: str, port: int = 4999) -> Iterator[EmulatorRecord]:
    """An emulator that is on the list; this process is its keeper."""
    now = time.time()
    record = EmulatorRecord(board, "qemu", 1, port, "/p", "/e", "b", "m", 9600, now, now + 60)
    published = PublishedRecord(record)
    try:
        yield record
    finally:
        published.withdraw()


def test_a_device_is_taken_as_it_is_with_what_usb_tells() -> None:
    assert found("/dev/ttyACM0", NANO) == PortTarget("/dev/ttyACM0", serial=NANO)


def test_a_url_is_taken_as_it_is() -> None:
    assert found("socket://10.0.0.1:4000") == PortTarget("socket://10.0.0.1:4000")


def test_a_port_needs_no_list_of_emulators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for place in ("absent", "file"):
        monkeypatch.setenv("TINYML_RUNTIME_DIR", str(tmp_path / place))
        assert found("socket://10.0.0.1:4000").url == "socket://10.0.0.1:4000"
        with pytest.raises(PortError, match="no emulator of qemu-m4 is running"):
            found("qemu-m4")
    assert not (tmp_path / "absent").exists()


def test_a_real_board_is_found_by_its_usb_id() -> None:
    target = found("nano33ble", UART, NANO)
    assert (target.url, target.board, target.baud) == ("/dev/ttyACM0", "nano33ble", 115200)


def test_an_emulated_board_is_found_where_it_runs() -> None:
    with running("qemu-m4") as record:
        target = found("qemu-m4")
        assert (target.url, target.baud, target.elf) == (record.url, 9600, Path("/e"))
        assert found(record.url) == target
        assert target.name == f"qemu-m4 at {record.url}"


def test_an_emulated_board_that_does_not_run_is_told_how_to_start_it() -> None:
    with pytest.raises(PortError, match="no emulator of qemu-m4 is running") as caught:
        found("qemu-m4")
    assert "tinyml flash" in (caught.value.hint or "")


def test_why_the_last_one_ended_is_told() -> None:
    with running("qemu-m4"):
        pass
    note_end("qemu-m4", "BusFault in layer_3()")
    with pytest.raises(PortError, match=r"ended \d+ s ago: BusFault in layer_3\(\)"):
        found("qemu-m4")


def test_a_new_start_forgets_why_the_last_one_ended() -> None:
    note_end("qemu-m4", "BusFault")
    with running("qemu-m4"):
        pass
    with pytest.raises(PortError, match=r"is running$"):
        found("qemu-m4")


def test_a_windows_port_is_left_to_the_system() -> None:
    assert found("COM3").url == "COM3"


@pytest.mark.parametrize(("name", "meant"), [("nano33bel", "nano33ble"), ("null", "/dev/null")])
def test_a_name_that_nothing_has_is_told_with_what_was_meant(name: str, meant: str) -> None:
    with pytest.raises(PortError, match="neither a port nor a board") as caught:
        found(name)
    assert f"did you mean {meant}" in (caught.value.hint or "")


def test_the_board_of_the_project_gives_a_devices_baud_rate() -> None:
    board = load_board("nano33ble")
    target = find_port("/dev/ttyUSB0", board, listing=tuple)
    assert (target.board, target.baud) == ("nano33ble", board.uart.baud)


def test_the_only_port_needs_no_name() -> None:
    assert only_port(listing=lambda: [NANO]).url == "/dev/ttyACM0"
    with running("qemu-m3"):
        assert only_port(listing=tuple).board == "qemu-m3"


def test_no_port_or_several_must_be_named() -> None:
    with pytest.raises(PortError, match="there is no port"):
        only_port(listing=tuple)
    with running("qemu-m3"), pytest.raises(PortError, match="2 ports: qemu-m3, /dev/ttyACM0"):
        only_port(listing=lambda: [NANO])


def test_a_board_is_followed_to_its_new_name() -> None:
    before = found("nano33ble", NANO)
    assert same_port(before, listing=lambda: [UART, MOVED]).url == "/dev/ttyACM4"
    with pytest.raises(PortError, match="is not plugged in"):
        same_port(before, listing=lambda: [UART])


def test_an_emulator_that_was_replaced_is_followed_to_its_new_port() -> None:
    with running("qemu-m4", 4001):
        before = found("qemu-m4")
    with running("qemu-m4", 4002):
        assert same_port(before, listing=tuple).url == "socket://127.0.0.1:4002"
    with pytest.raises(PortError):
        same_port(before, listing=tuple)
