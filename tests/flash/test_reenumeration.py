"""A board's port goes and comes back after an upload: played with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tinyml_tool.boards import load_board
from tinyml_tool.devices.port_names import PortTarget
from tinyml_tool.devices.ports import SerialPort
from tinyml_tool.devices.reenumeration import wait_for_board
from tinyml_tool.errors import PortError

BOARD = load_board("nano33ble")
APPLICATION = SerialPort("/dev/ttyACM0", usb_id="2341:805a", serial_number="A1", location="1-2:1.0")
BOOT_LOADER = SerialPort("/dev/ttyACM0", usb_id="2341:005a", serial_number=None, location="1-2:1.0")
RENAMED = SerialPort("/dev/ttyACM3", usb_id="2341:805a", serial_number="A1", location="1-2:1.0")
OTHER = SerialPort("/dev/ttyACM9", usb_id="0483:374b", serial_number="B2", location="1-5:1.0")
BEFORE = PortTarget(APPLICATION.device, BOARD.id, 115200, serial=APPLICATION)


class Desk:
    """What is plugged in at which time: (from second, ports)."""

    def __init__(self, *scenes: tuple[float, Sequence[SerialPort]]) -> None:
        self.now = 0.0
        self._scenes = scenes

    def listing(self) -> Sequence[SerialPort]:
        return next(ports for start, ports in reversed(self._scenes) if start <= self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, before: PortTarget | None = BEFORE) -> PortTarget:
        return wait_for_board(
            before, BOARD, listing=self.listing, clock=lambda: self.now, sleep=self.sleep
        )


def test_a_port_that_never_goes_is_taken_once_that_is_sure() -> None:
    desk = Desk((0, [APPLICATION, OTHER]))
    assert desk.wait().serial == APPLICATION
    assert 1.4 < desk.now < 2


def test_a_port_that_comes_back_under_another_name_is_found() -> None:
    desk = Desk((0, [APPLICATION]), (0.5, [OTHER]), (2.0, [OTHER, RENAMED]))
    assert desk.wait().url == "/dev/ttyACM3"
    assert 2.2 < desk.now < 3


def test_the_boot_loader_in_between_is_not_taken_for_the_firmware() -> None:
    desk = Desk((0, [BOOT_LOADER]), (0.2, []), (0.8, [APPLICATION]))
    assert desk.wait().serial == APPLICATION


def test_a_port_that_flickers_is_waited_for() -> None:
    desk = Desk((0, []), (1.0, [APPLICATION]), (1.1, []), (3.0, [APPLICATION]))
    desk.wait()
    assert desk.now > 3.2


def test_a_board_without_serial_number_is_found_by_its_kind() -> None:
    first = SerialPort("/dev/ttyACM0", usb_id="2341:805a")
    again = SerialPort("/dev/ttyACM1", usb_id="2341:805a")
    desk = Desk((0, [first]), (0.3, [OTHER]), (1.0, [OTHER, again]))
    assert desk.wait(PortTarget("/dev/ttyACM0", serial=first)).url == "/dev/ttyACM1"


def test_a_board_that_had_no_port_is_taken_when_it_appears() -> None:
    desk = Desk((0, [OTHER]), (2.0, [OTHER, APPLICATION]))
    assert desk.wait(None).serial == APPLICATION
    assert 2.2 < desk.now < 3


def test_a_board_that_does_not_come_back_is_told() -> None:
    desk = Desk((0, [APPLICATION]), (0.5, [OTHER]))
    with pytest.raises(PortError, match="nano33ble did not come back within 15 s") as caught:
        desk.wait()
    assert "RESET" in (caught.value.hint or "")


def test_a_port_without_usb_is_taken_as_it_is() -> None:
    target = PortTarget("socket://127.0.0.1:4000")
    assert Desk((0, [])).wait(target) == target
