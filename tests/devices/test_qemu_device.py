"""QEMU as a device: how it starts, how it ends, and what it says when it does neither."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from selftest_firmware import BuildFor, build, play, read_to_end, read_until

from tinyml_tool.boards import Board
from tinyml_tool.devices import qemu
from tinyml_tool.devices.device import ByteStream, DeviceEndedError
from tinyml_tool.devices.process import ChildProcess
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import DeviceError, DeviceFaultError, ToolMissingError


def machine_variant(board: Board, machine: str) -> Board:
    assert board.emulator
    emulator = board.emulator.model_copy(update={"machine": machine})
    return board.model_copy(update={"emulator": emulator})


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_its_stream_is_a_byte_stream(m4: Board, selftest: BuildFor) -> None:
    with QemuDevice(m4, selftest(m4), arguments="silent") as device:
        assert isinstance(device.stream, ByteStream)


def test_a_silent_firmware_gives_no_bytes_and_no_error(m4: Board, selftest: BuildFor) -> None:
    with QemuDevice(m4, selftest(m4), arguments="silent") as device:
        read_until(device, b"ready\n")
        started = time.monotonic()
        assert device.stream.read(100, 0.2) == b""
        assert 0.15 < time.monotonic() - started < 5.0
        assert device.ending is None


def test_a_read_returns_at_most_what_was_asked_for(m4: Board, selftest: BuildFor) -> None:
    with QemuDevice(m4, selftest(m4), arguments="silent") as device:
        assert device.stream.read(1, 5) == b"r"
        received = [device.stream.read(2, 0.5) for _ in range(6)]
        assert b"".join(received) == b"eady\n"
        assert max(map(len, received)) <= 2


@pytest.mark.parametrize("scenario", ["hang", "silent", "chatter"])
def test_the_time_limit_ends_any_firmware(scenario: str, m4: Board, selftest: BuildFor) -> None:
    with (
        QemuDevice(m4, selftest(m4), arguments=scenario, time_limit=0.4) as device,
        pytest.raises(DeviceEndedError, match=r"stopped after 0\.4 s, its time limit"),
    ):
        while True:
            device.stream.read(65536, 5)
    assert device.ending is not None
    assert device.ending.fault is None


def test_the_log_has_the_text_of_the_firmware_and_of_qemu(m4: Board, selftest: BuildFor) -> None:
    with QemuDevice(m4, selftest(m4), arguments="boot") as device:
        read_to_end(device)
        assert device.log.startswith("ready\n")
        assert device.log.endswith("\ndone")


def test_stop_may_be_called_at_any_time_and_twice(m4: Board, selftest: BuildFor) -> None:
    device = QemuDevice(m4, selftest(m4), arguments="silent")
    device.stop()
    device.start()
    pid = device.pid
    device.stop()
    device.stop()
    assert pid is not None
    assert not is_running(pid)
    assert device.ending is not None
    assert "stopped by this tool" in device.ending.reason


def test_a_stopped_device_cannot_be_read(m4: Board, selftest: BuildFor) -> None:
    device = QemuDevice(m4, selftest(m4), arguments="silent")
    stream = device.start()
    device.stop()
    with pytest.raises(DeviceError, match="closed"):
        stream.read(1, 1)
    with pytest.raises(DeviceError, match="closed"):
        stream.write(b"x")


def test_a_device_is_used_once(m4: Board, selftest: BuildFor) -> None:
    with (
        QemuDevice(m4, selftest(m4), arguments="silent") as device,
        pytest.raises(DeviceError, match="was started before"),
    ):
        device.start()


def test_the_stream_is_refused_before_the_start(m4: Board, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="is not started"):
        _ = QemuDevice(m4, tmp_path / "any").stream


def test_a_missing_qemu_is_told_with_the_command_that_installs_it(
    m4: Board, selftest: BuildFor
) -> None:
    device = QemuDevice(m4, selftest(m4), program="qemu-system-nowhere")
    with pytest.raises(ToolMissingError, match="qemu-system-nowhere is not installed") as caught:
        device.start()
    assert caught.value.hint == "sudo apt install qemu-system-arm"


def test_a_machine_that_qemu_does_not_know_is_told(m4: Board, selftest: BuildFor) -> None:
    board = machine_variant(m4, "mps9-an999")
    with pytest.raises(DeviceError, match="unsupported machine type") as caught:
        QemuDevice(board, selftest(m4)).start()
    assert "does not know 'mps9-an999'" in (caught.value.hint or "")
    assert any("-machine mps9-an999" in line for line in caught.value.details)


def test_a_board_without_an_emulator_is_refused(m4: Board, tmp_path: Path) -> None:
    board = m4.model_copy(update={"emulator": None})
    with pytest.raises(DeviceError, match="is not emulated by QEMU"):
        QemuDevice(board, tmp_path / "any")


def test_an_emulator_that_never_connects_is_given_up_and_ended(
    m4: Board, selftest: BuildFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu, "_CONNECT_SECONDS", 0.5)
    device = QemuDevice(m4, selftest(m4), program=script(tmp_path / "sleeper", "exec sleep 60"))
    with pytest.raises(DeviceError, match=r"did not connect in 0\.5 s"):
        device.start()
    assert device.pid is not None
    assert not is_running(device.pid)


def test_the_last_words_of_an_emulator_that_ends_at_once_are_told(
    m4: Board, selftest: BuildFor, tmp_path: Path
) -> None:
    program = script(tmp_path / "broken", "echo 'cannot load libnothing.so' >&2; exit 1")
    with pytest.raises(DeviceError, match="QEMU ended at once: cannot load libnothing"):
        QemuDevice(m4, selftest(m4), program=program).start()


def test_a_killed_emulator_is_told_with_its_signal(m4: Board, selftest: BuildFor) -> None:
    with QemuDevice(m4, selftest(m4), arguments="silent") as device:
        read_until(device, b"ready\n")
        assert device.pid is not None
        os.kill(device.pid, signal.SIGKILL)
        with pytest.raises(DeviceEndedError, match="QEMU was ended by signal 9"):
            device.stream.read(100, 5)
        with pytest.raises(DeviceEndedError):
            device.stream.write(b"x" * 10_000_000)


def test_a_fault_is_raised_again_at_each_read(m4: Board, selftest: BuildFor) -> None:
    with QemuDevice(m4, selftest(m4), arguments="undefined") as device:
        for _ in range(2):
            with pytest.raises(DeviceFaultError, match="undefined instruction"):
                read_to_end(device)
        assert device.wait(5).fault is not None


def test_waiting_for_a_firmware_that_goes_on_is_an_error(m4: Board, selftest: BuildFor) -> None:
    with (
        QemuDevice(m4, selftest(m4), arguments="silent") as device,
        pytest.raises(DeviceError, match=r"still runs after 0\.1 s"),
    ):
        device.wait(0.1)


def test_a_writer_is_not_blocked_for_ever(
    m4: Board, selftest: BuildFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyml_tool.devices.socket_stream._WRITE_SECONDS", 0.3)
    with QemuDevice(m4, selftest(m4), arguments="hang") as device:
        read_until(device, b"ready\n")
        with pytest.raises(DeviceError, match=r"the device took .* bytes, then none for"):
            device.stream.write(bytes(50_000_000))


def test_two_devices_run_side_by_side(m4: Board, selftest: BuildFor) -> None:
    with (
        QemuDevice(m4, selftest(m4), arguments="sleep") as one,
        QemuDevice(m4, selftest(m4), arguments="sleep") as other,
    ):
        for device in (one, other):
            read_until(device, b"asleep\n")
        for device in (one, other):
            device.stream.write(b"x")
            read_until(device, b"done\n")


def test_a_device_started_in_a_thread_survives_the_thread(m4: Board, selftest: BuildFor) -> None:
    with QemuDevice(m4, selftest(m4), arguments="sleep") as device_of_main:
        device = QemuDevice(m4, selftest(m4), arguments="sleep")
        thread = threading.Thread(target=device.start)
        thread.start()
        thread.join()
        try:
            time.sleep(0.2)
            for each in (device, device_of_main):
                each.stream.write(b"x")
                read_until(each, b"done\n")
        finally:
            device.stop()


def test_messages_are_kept_but_not_without_bound(tmp_path: Path) -> None:
    program = script(tmp_path / "talker", "head -c 300000 /dev/zero | tr '\\0' x >&2; echo end >&2")
    process = ChildProcess([program])
    assert process.wait(10) == 0
    assert len(process.messages) == 64 * 1024
    assert process.messages.endswith("xend\n")


def test_a_program_that_ignores_the_polite_request_is_killed(tmp_path: Path) -> None:
    program = script(
        tmp_path / "stubborn", "trap '' TERM; echo deaf >&2; while :; do sleep 0.1; done"
    )
    process = ChildProcess([program])
    while "deaf" not in process.messages:
        time.sleep(0.01)
    process.end()
    assert process.exit_status == -signal.SIGKILL


def test_a_firmware_counts_the_same_in_a_second_build(
    m4: Board, selftest: BuildFor, tmp_path: Path
) -> None:
    again = build(m4, tmp_path)
    assert play(m4, again, "ticks")[0] == play(m4, selftest(m4), "ticks")[0]
