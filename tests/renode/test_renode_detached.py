"""Renode that stays after `tinyml flash`: the same keeper, the same port, the same end."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import pytest
from detached_case import processes_with, start
from elf_file import elf_file
from renode_boards import NETDUINO
from renode_place import HERE, FakeRenode

from tinyml_tool.devices.detached_emulator import stop_detached
from tinyml_tool.devices.emulator_keeper import KeepRequest
from tinyml_tool.devices.emulator_records import running_emulators
from tinyml_tool.devices.port_names import find_port
from tinyml_tool.devices.serial_port import SerialPortDevice

FIRMWARE = shlex.join([sys.executable, str(HERE / "simple_firmware.py")])


def test_it_is_reached_by_the_boards_name_and_leaves_nothing_behind(
    fake_renode: FakeRenode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_RUNTIME_DIR", str(tmp_path / "run"))
    fake_renode(firmware=f"{FIRMWARE} {shlex.quote(str(tmp_path))}")
    elf = elf_file(tmp_path / "firmware.elf", NETDUINO.memory.flash.origin)
    assert processes_with(str(tmp_path)) == []
    record = start(KeepRequest(NETDUINO, "renode", str(elf), str(tmp_path), "b", "m", 60))
    assert running_emulators() == (record,)
    assert record.emulator == "renode"
    assert processes_with(str(tmp_path)) != []

    with SerialPortDevice(find_port(NETDUINO.id).url) as device:
        device.stream.write(b"abc")
        received = b""
        while not received.endswith(b"abc"):
            data = device.stream.read(100, 5)
            assert data, received
            received += data

    stop_detached(record)
    assert running_emulators() == ()
    deadline = time.monotonic() + 5
    while (left := processes_with(str(tmp_path))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
