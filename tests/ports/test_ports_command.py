"""`tinyml ports` as people and programs see it."""

from __future__ import annotations

import io

from command import tinyml
from rich.console import Console

from tinyml_tool.api.ports import Ports, describe_ports
from tinyml_tool.boards import load_boards
from tinyml_tool.devices.port_access import ALLOWED, Access
from tinyml_tool.devices.port_holders import Holder
from tinyml_tool.devices.ports import SerialPort
from tinyml_tool.report.ports import ports_view

NANO = SerialPort("/dev/ttyACM0", "Arduino Nano 33 BLE", "2341:805a")
CLOSED = Access(False, "only members of group 'dialout' may open it", ("sudo usermod -aG dialout",))


def described(holders: tuple[Holder, ...] = (), access: Access = ALLOWED) -> Ports:
    facts = describe_ports([NANO], load_boards().values(), {NANO.device: holders}, lambda _: access)
    return Ports(facts, ())


def shown(ports: Ports) -> str:
    console = Console(file=io.StringIO(), width=100)
    for part in ports_view(ports):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_free_port_is_shown_with_its_board() -> None:
    text = shown(described())
    assert "/dev/ttyACM0" in text
    assert "nano33ble" in text
    assert "free" in text


def test_the_program_that_uses_a_port_is_shown() -> None:
    ports = described((Holder(4711, "picocom /dev/ttyACM0"),))
    assert "used by picocom /dev/ttyACM0 (process 4711)" in " ".join(shown(ports).split())
    assert not ports.to_json()["ports"][0]["free"]


def test_a_missing_permission_is_shown_with_the_command_that_gives_it() -> None:
    ports = described(access=CLOSED)
    assert "closed to you" in shown(ports)
    assert "sudo usermod -aG dialout" in shown(ports)
    (port,) = ports.to_json()["ports"]
    assert (port["allowed"], port["free"]) == (False, False)


def test_no_port_at_all_is_said() -> None:
    assert "no serial ports" in shown(Ports((), ()))


def test_the_command_answers_in_json() -> None:
    result = tinyml("ports", "--json")
    assert result.code == 0
    assert set(result.envelope["result"]) == {"ports", "emulators"}
    assert result.envelope["result"]["emulators"] == []
