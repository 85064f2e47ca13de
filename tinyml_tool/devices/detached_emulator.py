"""Emulators that run on after this tool has ended, reachable like a board on a serial port."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from tinyml_tool.devices.emulator_keeper import KeepRequest
from tinyml_tool.devices.emulator_records import (
    EmulatorRecord,
    log_path,
    only_one_flashes,
    running_emulator,
)
from tinyml_tool.errors import DeviceError, PortError, TinymlError, ToolMissingError

_KEEPER = "tinyml_tool.devices.emulator_keeper"
_PACKAGE_PARENT = str(Path(__file__).resolve().parents[2])
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02


def start_detached(request: KeepRequest) -> EmulatorRecord:
    """Start the board's emulator and leave it running; one that runs already is replaced.

    It ends after `request.seconds`, with its firmware, or by `stop_detached`.  Raises
    ToolMissingError where the emulator is not installed, DeviceError where it does not start.
    """
    board = request.board.id
    with only_one_flashes(board):
        if before := running_emulator(board):
            stop_detached(before)
        _launch(request)
        record = running_emulator(board)
    if record is None:
        raise DeviceError(f"the emulator of {board} ended at once", hint=f"see {log_path(board)}")
    return record


def stop_detached(record: EmulatorRecord) -> None:
    """End an emulator and wait until it is gone.  Raises DeviceError where it does not end."""
    for request in (signal.SIGTERM, signal.SIGKILL):
        _signal(record, request)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if not _runs(record):
                return
            time.sleep(_POLL_SECONDS)
    raise DeviceError(f"the emulator of {record.board} (process {record.pid}) does not end")


def _runs(record: EmulatorRecord) -> bool:
    now = running_emulator(record.board)
    return now is not None and now.pid == record.pid


def _signal(record: EmulatorRecord, request: signal.Signals) -> None:
    """Only to a process that still holds its record: the number may be another one's by now."""
    if _runs(record):
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, request)


def _launch(request: KeepRequest) -> None:
    """Start the keeper and wait for its answer.  Raises the error that it tells."""
    log = log_path(request.board.id)
    with log.open("wb") as messages:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _KEEPER],
            cwd="/",
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            start_new_session=True,
        )
    assert process.stdin is not None and process.stdout is not None
    with process.stdout, contextlib.suppress(BrokenPipeError):
        with process.stdin:
            process.stdin.write(request.to_json().encode())
        process.wait(_START_SECONDS)  # it leaves a child behind, which answers
        answer = _read_answer(process.stdout)
    if "running" not in answer:
        raise _error(answer.get("error") or {}, request, log)


def _environment() -> dict[str, str]:
    """Lets the keeper find this very package, wherever the user has started the tool."""
    path = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([_PACKAGE_PARENT, path] if path else [_PACKAGE_PARENT]),
    }


def _read_answer(pipe: IO[bytes]) -> dict[str, Any]:
    """The keeper's line; empty where it ended or says nothing in time."""
    if not select.select([pipe], (), (), _START_SECONDS)[0]:
        return {}
    try:
        answer = json.loads(pipe.readline())
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _error(values: dict[str, Any], request: KeepRequest, log: Path) -> TinymlError:
    kinds: dict[str, type[TinymlError]] = {
        kind.code: kind for kind in (ToolMissingError, PortError, DeviceError)
    }
    if not values:
        return DeviceError(f"the emulator of {request.board.id} does not start", hint=f"see {log}")
    kind = kinds.get(str(values["code"]), DeviceError)
    return kind(str(values["message"]), hint=values.get("hint"))
