"""Renode as a device, against a program of that name: how it starts, runs, ends and fails."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from elf_file import elf_file
from renode_boards import NETDUINO
from renode_place import HERE, FakeRenode

from tinyml_tool.boards import load_board
from tinyml_tool.devices import renode_process
from tinyml_tool.devices.device import ByteStream, Device, DeviceEndedError
from tinyml_tool.devices.renode import RenodeDevice
from tinyml_tool.errors import DeviceError, DeviceFaultError, ToolMissingError

FIRMWARE = shlex.join([sys.executable, str(HERE / "simple_firmware.py")])
GREETING = b"hello\n"


@pytest.fixture
def elf(tmp_path: Path) -> Path:
    return elf_file(tmp_path / "a firmware.elf", NETDUINO.memory.flash.origin)


@pytest.fixture
def device(fake_renode: FakeRenode, elf: Path) -> Iterator[RenodeDevice]:
    """A started device whose firmware greets and sends back what it gets."""
    fake_renode(firmware=FIRMWARE)
    with RenodeDevice(NETDUINO, elf) as started:
        yield started


def read_until(stream: ByteStream, text: bytes) -> bytes:
    received = b""
    while text not in received:
        data = stream.read(4096, 5)
        assert data, received
        received += data
    return received


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def first_offer(
    monkeypatch: pytest.MonkeyPatch,
    port: int,
    place: str = "tinyml_tool.devices.renode_process.free_port",
) -> None:
    """Make `port` the first one that is tried."""
    ports = itertools.chain([port], iter(renode_process.free_port, None))
    monkeypatch.setattr(place, lambda: next(ports))


def test_it_carries_bytes_in_both_directions(device: RenodeDevice) -> None:
    assert read_until(device.stream, GREETING) == GREETING
    every_byte = bytes(range(256)).replace(b"f", b"").replace(b"x", b"")
    device.stream.write(every_byte)
    assert read_until(device.stream, every_byte) == every_byte


def test_it_is_a_device_that_runs(device: RenodeDevice) -> None:
    as_device: Device = device
    assert isinstance(as_device.stream, ByteStream)
    assert (as_device.name, as_device.ending) == ("netduinoplus2", None)
    assert (as_device.shares_files, as_device.counts_instructions) == (False, True)


def test_executed_instructions_are_read_from_the_core_while_it_stands_still(
    device: RenodeDevice,
) -> None:
    read_until(device.stream, GREETING)
    before = device.executed_instructions()
    device.stream.write(b"work")
    read_until(device.stream, b"work")
    assert 0 < before < device.executed_instructions()
    device.stream.write(b"again")
    assert read_until(device.stream, b"again") == b"again"


def test_the_log_has_the_lines_of_the_firmware(device: RenodeDevice) -> None:
    read_until(device.stream, GREETING)
    assert device.log == "hello"


def test_a_fault_of_the_firmware_is_an_error_and_its_end(device: RenodeDevice) -> None:
    device.stream.write(b"f")
    with pytest.raises(DeviceFaultError, match=r"^netduinoplus2: UsageFault \(undefined instr"):
        read_until(device.stream, b"never")
    assert device.ending is not None
    assert device.ending.fault is not None
    assert device.ending.exit_status is None


def test_stopping_ends_renode_and_removes_its_files(device: RenodeDevice, tmp_path: Path) -> None:
    pid = device.pid
    assert pid is not None
    assert list((tmp_path / "temporary").iterdir())
    device.stop()
    assert wait_for(lambda: not is_running(pid))
    assert list((tmp_path / "temporary").iterdir()) == []
    assert device.ending is not None
    assert "stopped by this tool" in device.ending.reason


def test_stopping_twice_and_before_the_start_does_nothing(device: RenodeDevice, elf: Path) -> None:
    device.stop()
    device.stop()
    RenodeDevice(NETDUINO, elf).stop()


def test_a_stopped_device_gives_no_bytes(device: RenodeDevice) -> None:
    device.stop()
    with pytest.raises(DeviceError, match="closed"):
        device.stream.read(10, 0.1)
    with pytest.raises(DeviceError, match="stopped by this tool"):
        device.executed_instructions()


def test_a_device_starts_once(device: RenodeDevice) -> None:
    with pytest.raises(DeviceError, match="was started before"):
        device.start()


def test_the_time_limit_ends_it_whatever_it_does(fake_renode: FakeRenode, elf: Path) -> None:
    fake_renode(firmware="sleep 60")
    with (
        RenodeDevice(NETDUINO, elf, time_limit=1.5) as device,
        pytest.raises(DeviceEndedError, match=r"stopped after 1\.5 s, its time limit"),
    ):
        while True:
            device.stream.read(100, 5)


def test_renode_that_goes_away_is_told_as_an_end(device: RenodeDevice) -> None:
    assert device.pid is not None
    os.kill(device.pid, signal.SIGKILL)
    with pytest.raises(DeviceEndedError, match="Renode ended with status 137"):
        read_until(device.stream, b"never")


def test_what_renode_prints_is_kept_but_not_without_end(fake_renode: FakeRenode, elf: Path) -> None:
    fake_renode("chatty", firmware=FIRMWARE)
    with RenodeDevice(NETDUINO, elf) as device:
        read_until(device.stream, GREETING)
        assert wait_for(lambda: len(device.log) > 60_000)
        assert len(device.log) <= 64 * 1024 + len("hello\n")


def test_an_old_renode_is_started_with_its_old_option(fake_renode: FakeRenode, elf: Path) -> None:
    fake_renode("old", firmware=FIRMWARE)
    with RenodeDevice(NETDUINO, elf) as device:
        assert read_until(device.stream, GREETING)


def test_a_port_that_was_just_taken_is_given_up_for_another(
    fake_renode: FakeRenode, elf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_renode(firmware=FIRMWARE)
    monkeypatch.setattr(renode_process, "PROBE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first_offer(monkeypatch, listener.getsockname()[1])
        with RenodeDevice(NETDUINO, elf) as device:
            assert read_until(device.stream, GREETING)


def test_the_robot_server_of_another_renode_is_left_alone(
    device: RenodeDevice, elf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert device._renode is not None
    first_offer(monkeypatch, device._renode.robot.port)
    with RenodeDevice(NETDUINO, elf) as second:
        assert second.pid != device.pid
        second.stream.write(b"second")
        assert read_until(second.stream, b"second")
    assert read_until(device.stream, GREETING) == GREETING


def test_a_taken_port_for_the_uart_is_given_up_for_another(
    fake_renode: FakeRenode, elf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_renode(firmware=FIRMWARE)
    with socket.create_server(("", 0)) as listener:
        first_offer(monkeypatch, listener.getsockname()[1], "tinyml_tool.devices.renode.free_port")
        with RenodeDevice(NETDUINO, elf) as device:
            assert read_until(device.stream, GREETING)


def test_a_uart_that_never_gets_a_port_is_told_in_renodes_words(
    fake_renode: FakeRenode, elf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("", 0)) as listener:
        monkeypatch.setattr(
            "tinyml_tool.devices.renode.free_port", lambda: listener.getsockname()[1]
        )
        with pytest.raises(DeviceError, match=r"CreateServerSocketTerminal .*: Address already in"):
            RenodeDevice(NETDUINO, elf).start()


def test_a_crash_at_the_start_is_told_with_what_renode_printed(
    fake_renode: FakeRenode, elf: Path, tmp_path: Path
) -> None:
    fake_renode("crash")
    with pytest.raises(DeviceError) as caught:
        RenodeDevice(NETDUINO, elf).start()
    assert caught.value.message == "netduinoplus2: Renode ended at once with status 1: Fatal error:"
    assert caught.value.details[0] == "Cannot find libgtk-x11-2.0.so"
    assert "--version" in (caught.value.hint or "")
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("behaviour", ["silent", "strange"])
def test_a_renode_that_does_not_answer_is_given_up_in_time(
    behaviour: str, fake_renode: FakeRenode, elf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_renode(behaviour)
    monkeypatch.setattr("tinyml_tool.devices.renode.START_SECONDS", 0.7)
    with pytest.raises(DeviceError, match=r"does not answer on its robot server port \d+"):
        RenodeDevice(NETDUINO, elf).start()


def test_a_robot_server_that_always_is_anothers_ends_the_attempts(
    device: RenodeDevice, elf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert device._renode is not None
    port = device._renode.robot.port
    monkeypatch.setattr(renode_process, "free_port", lambda: port)
    with pytest.raises(DeviceError, match=f"another program answers on .* port {port}"):
        RenodeDevice(NETDUINO, elf).start()


def test_a_refused_platform_is_told_with_its_line(fake_renode: FakeRenode, elf: Path) -> None:
    assert NETDUINO.renode
    uart = NETDUINO.renode.uart.model_copy(update={"type": "UART.STM33_UART"})
    renode = NETDUINO.renode.model_copy(update={"uart": uart})
    board = NETDUINO.model_copy(update={"renode": renode})
    with pytest.raises(DeviceError) as caught:
        RenodeDevice(board, elf).start()
    assert caught.value.message == (
        "netduinoplus2: Renode refuses `machine LoadPlatformDescription @board.repl`: "
        "Error E00: uart: Could not resolve type: 'UART.STM33_UART'"
    )


def test_a_renode_that_dies_on_the_way_is_told_as_an_end(
    fake_renode: FakeRenode, elf: Path
) -> None:
    fake_renode("dies at start")
    with pytest.raises(DeviceError, match="netduinoplus2: Renode ended with status 9"):
        RenodeDevice(NETDUINO, elf).start()


def test_without_renode_it_says_where_to_get_it(
    elf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="renode is not on PATH") as caught:
        RenodeDevice(NETDUINO, elf).start()
    assert "https://renode.io" in (caught.value.hint or "")


def test_a_board_without_a_description_is_refused(elf: Path) -> None:
    with pytest.raises(DeviceError, match="'qemu-m4' is not emulated by Renode"):
        RenodeDevice(load_board("qemu-m4"), elf)


def test_a_missing_firmware_is_told_before_renode_starts(
    fake_renode: FakeRenode, tmp_path: Path
) -> None:
    fake_renode("crash")
    with pytest.raises(DeviceError, match="there is no firmware"):
        RenodeDevice(NETDUINO, tmp_path / "none.elf").start()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
def test_renode_does_not_outlive_the_tool(
    how: signal.Signals, fake_renode: FakeRenode, elf: Path, tmp_path: Path
) -> None:
    fake_renode(firmware=FIRMWARE)
    parent = subprocess.Popen(
        [sys.executable, str(HERE / "keep_renode_running.py"), str(elf)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"PYTHONPATH": str(HERE.parents[1]), "TMPDIR": str(tmp_path / "temporary")},
    )
    assert parent.stdout is not None
    renode = int(parent.stdout.readline())
    assert is_running(renode)
    parent.send_signal(how)
    parent.communicate()
    assert wait_for(lambda: not is_running(renode))
    assert wait_for(lambda: not list((tmp_path / "temporary").iterdir()))
