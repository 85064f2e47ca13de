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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
_START_SECONDS = 90.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02


class StartedEmulator:
    """An emulator that runs, but ends with this process unless it is told to `stay`."""

    def __init__(self, request: KeepRequest) -> None:
        """Start it.  Raises ToolMissingError where it is not installed, DeviceError."""
        self._request = request
        self._log = log_path(request.board.id)
        with self._log.open("wb") as messages:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _KEEPER],
                cwd="/",
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                start_new_session=True,
                bufsize=0,
            )
        try:
            self._tell(request.to_json())
            self._process.wait(_START_SECONDS)  # it leaves a child behind, which answers
            self.record = EmulatorRecord(**self._answer("running"))
        except BaseException:
            self.close()
            raise

    def stay(self) -> EmulatorRecord:
        """Let it run on after this process; one of the same board that does so already is ended."""
        if before := running_emulator(self.record.board):
            stop_detached(before)
        self._tell("stay")
        self._answer("kept")
        return self.record

    def close(self) -> None:
        """Let go of it: it ends now, unless it stays."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with self._process.stdout as pipe:
            while pipe.read(1024):  # until it has ended, or stays and has closed its side
                pass

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its answer tells why
            self._process.stdin.write(line.encode() + b"\n")

    def _answer(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """What the keeper says under `key`.  Raises the error it tells instead."""
        pipe = self._process.stdout
        assert pipe is not None
        answer: dict[str, Any] = {}
        if select.select([pipe], (), (), _START_SECONDS)[0]:
            with contextlib.suppress(ValueError):
                answer = json.loads(pipe.readline())
        if key not in answer:
            raise self._error(answer.get("error"))
        return answer[key]

    def _error(self, values: dict[str, Any] | None) -> TinymlError:
        if values is None:
            return DeviceError(
                f"the emulator of {self._request.board.id} does not start", hint=f"see {self._log}"
            )
        kinds = {kind.code: kind for kind in (ToolMissingError, PortError, DeviceError)}
        kind = kinds.get(str(values["code"]), DeviceError)
        return kind(str(values["message"]), hint=values.get("hint"))


@contextlib.contextmanager
def started_emulator(request: KeepRequest) -> Iterator[StartedEmulator]:
    """Start the board's emulator, to be tried out; it ends with the `with` unless told to stay.

    Who does the same for the same board meanwhile waits.  Raises as `StartedEmulator` does.
    """
    with only_one_flashes(request.board.id):
        started = StartedEmulator(request)
        try:
            yield started
        finally:
            started.close()


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


def _environment() -> dict[str, str]:
    """Lets the keeper find this very package, wherever the user has started the tool."""
    path = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([_PACKAGE_PARENT, path] if path else [_PACKAGE_PARENT]),
    }
