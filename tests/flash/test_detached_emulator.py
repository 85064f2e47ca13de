"""Emulators that stay: reachable like a board, listed, and gone without a trace in the end."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command import REPOSITORY
from detached_case import is_running, keep_request, processes_with, start

from tinyml_tool.devices import emulator_keeper
from tinyml_tool.devices.detached_emulator import started_emulator, stop_detached
from tinyml_tool.devices.emulator_keeper import KeepRequest
from tinyml_tool.devices.emulator_records import (
    EmulatorRecord,
    last_end,
    running_emulator,
    running_emulators,
)
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.port_holders import TcpRow
from tinyml_tool.devices.port_names import find_port
from tinyml_tool.devices.serial_port import SerialPortDevice
from tinyml_tool.errors import DeviceError, OutputError, PortError


def soon(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def build_id_at(url: str) -> str:
    with SerialPortDevice(url) as device, LinkClient(device.stream) as client:
        return client.hello().build_id


def test_one_client_after_another_reaches_the_firmware(request_to_keep: KeepRequest) -> None:
    record = start(request_to_keep)
    assert [build_id_at(record.url) for _ in range(3)] == [request_to_keep.build_id] * 3


def test_a_running_emulator_is_listed_with_all_one_needs(request_to_keep: KeepRequest) -> None:
    record = start(request_to_keep)
    assert running_emulators() == (record,)
    assert (record.board, record.project) == ("qemu-m4", request_to_keep.project)
    assert record.ends - record.started == request_to_keep.seconds


def test_a_second_start_replaces_the_first(request_to_keep: KeepRequest) -> None:
    first, second = start(request_to_keep), start(request_to_keep)
    assert running_emulators() == (second,)
    assert soon(lambda: not is_running(first.pid))
    assert len(processes_with(request_to_keep.elf)) == 1


def test_a_start_that_fails_leaves_the_running_one_alone(request_to_keep: KeepRequest) -> None:
    record = start(request_to_keep)
    with pytest.raises(DeviceError, match="no firmware at"):
        start(dataclasses.replace(request_to_keep, elf="/absent/firmware.elf"))
    assert running_emulators() == (record,)
    assert build_id_at(record.url) == request_to_keep.build_id


def test_nothing_stays_that_was_not_told_to(request_to_keep: KeepRequest) -> None:
    with started_emulator(request_to_keep) as emulator:
        assert running_emulators() == ()
        assert build_id_at(emulator.record.url) == request_to_keep.build_id
    assert soon(lambda: processes_with(request_to_keep.elf) == [])


def test_a_stopped_emulator_leaves_no_process(request_to_keep: KeepRequest) -> None:
    record = start(request_to_keep)
    stop_detached(record)
    assert running_emulators() == ()
    assert processes_with(request_to_keep.elf) == []
    stop_detached(record)


def test_it_ends_by_itself_when_its_time_is_over(request_to_keep: KeepRequest) -> None:
    record = start(dataclasses.replace(request_to_keep, seconds=1.0))
    assert soon(lambda: running_emulators() == (), seconds=4)
    assert soon(lambda: not is_running(record.pid))
    assert processes_with(request_to_keep.elf) == []


def test_a_killed_keeper_takes_the_emulator_along_and_off_the_list(
    request_to_keep: KeepRequest,
) -> None:
    record = start(request_to_keep)
    os.kill(record.pid, signal.SIGKILL)
    assert soon(lambda: processes_with(request_to_keep.elf) == [])
    assert soon(lambda: running_emulators() == ())


START_AND_WAIT = """
import sys, time
from tinyml_tool.devices.detached_emulator import started_emulator
from tinyml_tool.devices.emulator_keeper import KeepRequest
with started_emulator(KeepRequest.from_json(sys.argv[1])) as emulator:
    print(emulator.record.port, flush=True)
    time.sleep(60)
"""


def test_a_tool_that_is_killed_while_it_starts_one_leaves_nothing(
    request_to_keep: KeepRequest,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, request_to_keep.to_json()],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
    ) as tool:
        assert tool.stdout is not None and int(tool.stdout.readline())
        tool.kill()
    assert soon(lambda: processes_with(request_to_keep.elf) == [])
    assert soon(lambda: running_emulators() == ())


def test_a_second_client_is_told_who_uses_the_board(request_to_keep: KeepRequest) -> None:
    record = start(request_to_keep)
    code = f"import socket; c = socket.create_connection(('127.0.0.1', {record.port})); c.recv(1)"
    with subprocess.Popen([sys.executable, "-c", code]) as other:
        try:
            assert soon(lambda: _is_busy("qemu-m4"))
            with pytest.raises(PortError, match=f"qemu-m4 is busy: .*process {other.pid}"):
                find_port(record.url)
        finally:
            other.kill()
    assert soon(lambda: not _is_busy("qemu-m4"))
    assert build_id_at(record.url) == request_to_keep.build_id


def _is_busy(name: str) -> bool:
    try:
        find_port(name)
    except PortError as error:
        return "busy" in error.message
    return False


def test_a_client_that_is_cut_off_half_way_does_not_disturb_the_next(
    request_to_keep: KeepRequest,
) -> None:
    record = start(request_to_keep)
    with socket.create_connection(("127.0.0.1", record.port)) as client:
        client.sendall(b"\x00\x02\xf7\x01half a frame")
    assert build_id_at(record.url) == request_to_keep.build_id


def test_the_end_of_the_firmware_is_remembered(
    built: tuple[Path, object], request_to_keep: KeepRequest
) -> None:
    record = start(request_to_keep)
    qemu = next(
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and _is_child(folder, record.pid)
    )
    os.kill(qemu, signal.SIGKILL)
    assert soon(lambda: running_emulator("qemu-m4") is None)
    end = last_end("qemu-m4")
    assert end is not None and "signal 9" in end.reason
    with pytest.raises(PortError, match=r"no emulator of qemu-m4 is running .*signal 9"):
        find_port("qemu-m4")


def _is_child(process: Path, parent: int) -> bool:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent
    except OSError:
        return False


def test_somebody_elses_program_may_not_use_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [TcpRow(local_port=5000, remote_port=6000, state="01", user=54321, inode=1)]
    monkeypatch.setattr(emulator_keeper, "tcp_rows", lambda: rows)
    assert not emulator_keeper._is_ours(5000)
    assert emulator_keeper._is_ours(5001), "what the system does not tell is no reason to refuse"


def test_a_record_of_another_version_is_passed_over(runtime_folder: Path) -> None:
    runtime_folder.mkdir(mode=0o700)
    (runtime_folder / "qemu-m4.json").write_text(json.dumps({"board": "qemu-m4"}))
    assert running_emulators() == ()


def test_the_list_is_closed_to_others(request_to_keep: KeepRequest, runtime_folder: Path) -> None:
    start(request_to_keep)
    assert runtime_folder.stat().st_mode & 0o077 == 0


def test_a_list_that_cannot_be_kept_is_told(
    request_to_keep: KeepRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TINYML_RUNTIME_DIR", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="the list of running emulators cannot be kept") as caught:
        start(request_to_keep)
    assert "TINYML_RUNTIME_DIR" in (caught.value.hint or "")


def test_a_request_survives_its_way_as_text(built: tuple[Path, object]) -> None:
    request = keep_request(*built)  # type: ignore[arg-type]
    assert KeepRequest.from_json(request.to_json()) == request


def test_two_starts_at_once_leave_one(request_to_keep: KeepRequest) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        records = list(pool.map(start, [request_to_keep] * 2))
    (left,) = running_emulators()
    assert left in records
    assert len(processes_with(request_to_keep.elf)) == 1


def test_a_record_tells_its_url() -> None:
    record = EmulatorRecord("b", "qemu", 1, 4000, "p", "e", "i", "m", 115200, 0.0, 10.0)
    assert record.url == "socket://127.0.0.1:4000"
    assert (record.seconds_left(4.0), record.seconds_left(11.0)) == (6.0, 0.0)
