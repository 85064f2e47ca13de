"""Ports and the boards they probably are, from lists as the operating system gives them."""

from types import SimpleNamespace

import pytest

from tinyml_tool.boards import load_board, load_boards
from tinyml_tool.devices.ports import (
    SerialPort,
    list_serial_ports,
    port_of,
    probable_boards,
    serial_port,
)
from tinyml_tool.errors import PortError

NANO = SerialPort("/dev/ttyACM0", "Arduino Nano 33 BLE", "2341:805a", "A1B2", "1-2:1.0")
PROBE = SerialPort("/dev/ttyACM1", "STMicroelectronics STLINK-V3", "0483:374b", "C3D4", "1-3:1.2")
UART = SerialPort("/dev/ttyS0")


def info(**facts: object) -> SimpleNamespace:
    """A port as pyserial describes it."""
    empty = dict.fromkeys(
        ("vid", "pid", "manufacturer", "product", "serial_number", "location"), None
    )
    return SimpleNamespace(device="/dev/ttyACM0", description="n/a", **{**empty, **facts})


def test_usb_facts_are_taken_over() -> None:
    port = serial_port(
        info(vid=0x2341, pid=0x805A, manufacturer="Arduino", product="Nano 33 BLE", location="1-2")
    )
    assert (port.usb_id, port.description, port.location) == (
        "2341:805a",
        "Arduino Nano 33 BLE",
        "1-2",
    )


def test_a_port_that_is_not_on_usb_has_no_usb_id() -> None:
    assert serial_port(info()).usb_id is None
    assert serial_port(info()).description == ""


def test_a_name_cannot_bring_control_characters_into_the_terminal() -> None:
    assert "\x1b" not in serial_port(info(vid=1, pid=2, product="\x1b[31mred")).description


def test_the_board_is_known_by_its_usb_id() -> None:
    assert probable_boards(NANO, load_boards().values()) == ("nano33ble",)


def test_boards_that_share_a_debug_probe_are_all_named() -> None:
    boards = probable_boards(PROBE, load_boards().values())
    assert len(boards) > 1
    assert "nucleo_l4r5zi" in boards


def test_a_port_without_usb_may_be_anything() -> None:
    assert probable_boards(UART, load_boards().values()) == ()


def test_the_port_of_a_board_is_the_one_with_its_usb_id() -> None:
    assert port_of(load_board("nano33ble"), [UART, NANO, PROBE]) == NANO


def test_no_port_of_a_board_is_told_with_what_is_there() -> None:
    with pytest.raises(
        PortError, match=r"no serial port looks like .*nano33ble.*/dev/ttyS0"
    ) as caught:
        port_of(load_board("nano33ble"), [UART])
    assert "2341:805a" in (caught.value.hint or "")


def test_no_ports_at_all_is_told() -> None:
    with pytest.raises(PortError, match="no serial ports at all"):
        port_of(load_board("nano33ble"), [])


def test_two_boards_of_a_kind_are_told() -> None:
    second = SerialPort("/dev/ttyACM7", usb_id="2341:805a")
    with pytest.raises(PortError, match="2 ports may be nano33ble: /dev/ttyACM0, /dev/ttyACM7"):
        port_of(load_board("nano33ble"), [NANO, second])


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (SerialPort("/dev/ttyACM5", usb_id="2341:005a", serial_number="A1B2"), True),
        (SerialPort("/dev/ttyACM5", usb_id="2341:805a", serial_number="ZZZZ"), False),
        (SerialPort("/dev/ttyACM5", usb_id="2341:005a", location="1-2:1.0"), True),
        (SerialPort("/dev/ttyACM5", usb_id="2341:005a", location="1-4:1.0"), False),
        (SerialPort("/dev/ttyACM0"), True),
    ],
    ids=["serial number", "other serial number", "socket", "other socket", "name alone"],
)
def test_a_board_is_followed_by_serial_number_or_socket(other: SerialPort, same: bool) -> None:
    assert NANO.same_board(other) is same


def test_ports_are_listed_in_the_order_people_count(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["/dev/ttyACM10", "/dev/ttyACM2", "/dev/ttyS0"]
    found = [SimpleNamespace(**{**vars(info()), "device": name}) for name in names]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: found)
    listed = [port.device for port in list_serial_ports()]
    assert listed == ["/dev/ttyACM2", "/dev/ttyACM10", "/dev/ttyS0"]
