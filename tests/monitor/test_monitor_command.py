"""`tinyml monitor` on a pseudo-terminal and on an emulated board, without a terminal of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command import REPOSITORY, tinyml
from detached_case import keep_request, start
from pty_board import PtyBoard
from reports import FAULT, report

from tinyml_tool.api.monitor import monitor
from tinyml_tool.devices.emulator_records import EmulatorRecord
from tinyml_tool.toolchain.build import Firmware

LABELS = "background\nyes\n"


@contextmanager
def monitoring(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """The command, running, with its standard output to read from."""
    with subprocess.Popen(
        [sys.executable, "-m", "tinyml_tool", "monitor", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_event(process: subprocess.Popen[str], kind: str) -> dict[str, Any]:
    """The next event of that kind."""
    assert process.stdout is not None
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event.get("event") == kind:
            return event
    raise AssertionError(f"no event '{kind}'")


def envelope(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The last line."""
    stdout, stderr = process.communicate(timeout=10)
    assert "Traceback" not in stderr, stderr
    last: dict[str, Any] = json.loads(stdout.splitlines()[-1])
    assert last["command"] == "monitor"
    return last


def test_an_emulated_board_reports_its_inferences(emulator: EmulatorRecord) -> None:
    result = tinyml("monitor", "qemu-m4", "--count", "3", "--duration", "20", "--json")
    *events, last = map(json.loads, result.stdout.splitlines())
    assert events[0]["event"] == "connected"
    inferences = [event for event in events if event["event"] == "inference"]
    assert len(inferences) >= 3
    assert all(event["checked"] and event["emulated"] for event in inferences)
    assert all(event["seconds"] is None and event["ticks"] > 0 for event in inferences)
    assert last["result"]["inferences"] == len(inferences)
    assert last["result"]["damaged"] == 0


def test_a_project_names_its_board_and_labels(project: Path, emulator: EmulatorRecord) -> None:
    (project / "labels.txt").write_text("a\nb\nc\nd\n")
    settings = (project / "tinyml.toml").read_text()
    (project / "tinyml.toml").write_text(settings + '\n[monitor]\nlabels = "labels.txt"\n')
    try:
        result = tinyml("monitor", project, "--count", "1", "--duration", "20", "--json")
    finally:
        (project / "tinyml.toml").write_text(settings)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    (output,) = next(e for e in events if e.get("event") == "inference")["outputs"]
    assert {value["label"] for value in output["top"]} == {"a", "b", "c", "d"}
    assert all("abcd"[value["index"]] == value["label"] for value in output["top"])


def test_the_python_api_gives_the_same_events(emulator: EmulatorRecord) -> None:
    events = [event.to_json() for event in monitor(emulator.url, count=2, duration=20)]
    assert [event["event"] for event in events].count("inference") >= 2


def test_the_firmware_as_generated_answers_to_send(board: PtyBoard) -> None:
    with monitoring(board.path, "--send", "run", "--every", "0.1", "--json") as process:
        next_event(process, "connected")
        assert board.received(b"run\r").startswith(b"\0")
        board.print("run\ninputs: zeros\noutput 0[0] = 0.5  stored 0\n")
        board.print("output 0[1] = 1.5  stored 2\ntime: 25000 ticks at 25000000 Hz, 1000 us\n")
        event = next_event(process, "inference")
        assert event["seconds"] == 0.001
        assert not event["checked"]
        assert event["outputs"][0]["top"][0]["index"] == 1
        board.received(b"run\r")


def test_lines_are_shown_as_they_come_without_a_terminal(board: PtyBoard, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(LABELS)
    with monitoring(board.path, "--labels", tmp_path / "labels.txt", "--count", "1") as process:
        assert process.stdout is not None
        assert "connected to" in process.stdout.readline()
        board.print("hello\n")
        assert "| hello" in process.stdout.readline()
        board.print(report(7) + "\n")
        line = process.stdout.readline()
        assert "#7  yes 89.1 %  background 10.9 %  2.00 ms" in line
        assert process.wait(10) == 0


def test_labels_that_are_not_of_this_output_are_not_used(board: PtyBoard, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(LABELS)
    arguments = (board.path, "--labels", tmp_path / "labels.txt", "--count", "1", "--json")
    with monitoring(*arguments) as process:
        next_event(process, "connected")
        board.print(report(values=(1, 2, 3)) + "\n")
        top = next_event(process, "inference")["outputs"][0]["top"]
        assert [value["label"] for value in top] == [None] * 3


def test_a_pulled_cable_is_survived_and_counted(board: PtyBoard) -> None:
    with monitoring(board.path, "--count", "1", "--json") as process:
        next_event(process, "connected")
        board.unplug()
        assert "gone" in next_event(process, "disconnected")["reason"]
        board.plug()
        next_event(process, "connected")
        board.print(report() + "\n")
        next_event(process, "inference")
        assert envelope(process)["result"]["disconnects"] == 1


def test_a_board_that_is_flashed_again_is_followed(
    reporting: tuple[Path, Firmware], emulator: EmulatorRecord
) -> None:
    with monitoring("qemu-m4", "--json") as process:
        next_event(process, "inference")
        again = start(keep_request(*reporting))
        next_event(process, "disconnected")
        assert again.url in next_event(process, "connected")["port"]
        assert next_event(process, "inference")["number"] >= 1


def test_everything_is_recorded_at_once_even_if_the_tool_is_killed(
    board: PtyBoard, tmp_path: Path
) -> None:
    recording = tmp_path / "recording.jsonl"
    recording.write_text('{"event": "from before"}\n')
    with monitoring(board.path, "--record", recording, "--json") as process:
        next_event(process, "connected")
        board.print(f"hello\n{report()}\n{FAULT}\n")
        next_event(process, "fault")
        process.kill()
    events = [json.loads(line) for line in recording.read_text().splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds == ["from before", "connected", "log", "inference", "fault"]


def test_a_killed_monitor_frees_the_port(board: PtyBoard) -> None:
    for _ in range(2):
        with monitoring(board.path, "--json") as process:
            next_event(process, "connected")
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_a_signal_ends_it_in_order(board: PtyBoard, how: signal.Signals) -> None:
    with monitoring(board.path, "--json") as process:
        next_event(process, "connected")
        process.send_signal(how)
        assert envelope(process)["ok"]
        assert process.returncode == 0


def test_a_reader_that_has_seen_enough_ends_it_quietly(board: PtyBoard) -> None:
    with monitoring(board.path, "--json") as process:
        next_event(process, "connected")
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        deadline = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < deadline:
            board.print("more\n")
            time.sleep(0.05)
        assert process.wait(1) == 0
        assert process.stderr.read() == ""


def test_too_few_inferences_in_time_are_an_error(board: PtyBoard) -> None:
    arguments = ("--count", "2", "--duration", "0.3", "--json")
    result = tinyml("monitor", board.path, *arguments)
    last = json.loads(result.stdout.splitlines()[-1])
    assert result.code == 6
    assert "0 of 2 inferences in 0.3 s" in last["error"]["message"]
    assert "--send run" in last["error"]["hint"]


def test_a_duration_alone_is_a_good_end(board: PtyBoard) -> None:
    assert tinyml("monitor", board.path, "--duration", "0.2").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["/dev/ttyNOWHERE"], "port", "does not exist"),
        (["qemu-m4"], "port", "no emulator of qemu-m4 is running"),
        (["nano33ble"], "port", "no serial port looks like"),
        (["/dev/ttyX", "--port", "/dev/ttyY"], "input", "as argument and as --port"),
        (["/dev/null", "--labels", "/absent"], "input", "/absent"),
    ],
)
def test_what_cannot_be_listened_to_is_told(arguments: list[str], code: str, word: str) -> None:
    result = tinyml("monitor", *arguments, "--json")
    assert result.error["code"] == code
    assert word in result.error["message"]


@pytest.mark.parametrize("content", ["", "a\n\nb\n", "a\x1b[31m\n"])
def test_a_file_of_labels_that_cannot_be_used_is_refused(tmp_path: Path, content: str) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(content)
    result = tinyml("monitor", "/dev/null", "--labels", labels, "--json")
    assert (result.code, result.error["code"]) == (2, "input")
    assert str(labels) in result.error["message"]


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    result = tinyml("monitor", tmp_path, "--json")
    assert (result.code, result.error["code"]) == (2, "input")


def test_a_recording_that_cannot_be_written_is_refused(board: PtyBoard, tmp_path: Path) -> None:
    result = tinyml("monitor", board.path, "--record", tmp_path / "absent" / "x", "--json")
    assert (result.code, result.error["code"]) == (2, "output")
