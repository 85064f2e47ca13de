"""Runs the training engine in a process of its own, so that its end is never the tool's end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.environments.catalogue import TENSORFLOW
from tinyml_tool.environments.find import find_environment
from tinyml_tool.errors import InputError, ToolMissingError, TrainingError

PYTHON_VARIABLE = TENSORFLOW.variable
"""Names another Python that has TensorFlow, where this one has not."""
LOG_FILE = "engine.log"

_PACKAGE_PARENT = str(Path(__file__).resolve().parents[2])
_LOG_LINES = 20

Events = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class EngineResult:
    """What the engine said when it was done."""

    facts: dict[str, Any]
    """By mode; `train`: parameters, history (a dict an epoch), best_epoch."""
    versions: dict[str, str]


def run_engine(job: Path, on_event: Events = lambda event: None) -> EngineResult:
    """Run the engine on a job file and wait for it; `on_event` is told all that it says.

    The engine ends with this call, also after Ctrl-C, and with this process, however it ends.
    Raises ToolMissingError without TensorFlow, InputError for what the user can mend,
    TrainingError where the engine is killed, runs out of memory or crashes.
    """
    log = job.parent / LOG_FILE
    versions: dict[str, str] = {}
    facts: dict[str, Any] | None = None
    with log.open("wb") as errors:
        process = _start(job, errors)
        try:
            for event in _events(process):
                if event["event"] == "error":
                    raise _told(event)
                if event["event"] == "started":
                    versions = event["versions"]
                if event["event"] == "done":
                    facts = {key: value for key, value in event.items() if key != "event"}
                on_event(event)
            status = process.wait()
        finally:
            _end(process)
    if status != 0 or facts is None:
        raise _died(status, log)
    return EngineResult(facts, versions)


def engine_python() -> str:
    """The Python that has TensorFlow; without one this one, whose engine tells what is missing.

    Raises ToolMissingError where the user names one that does not exist.
    """
    found = find_environment(TENSORFLOW)
    return str(found.python) if found is not None else sys.executable


def _start(job: Path, errors: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - a file
    python = engine_python()
    path = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([_PACKAGE_PARENT, *([path] if path else [])]),
    }
    try:
        return subprocess.Popen(
            [python, "-m", "tinyml_tool.train.engine", str(job.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,  # Ctrl-C is for this process, which ends the engine
        )
    except OSError as error:
        raise ToolMissingError(
            f"{python}: cannot be started: {error.strerror}",
            hint=f"{PYTHON_VARIABLE} must name a Python that has TensorFlow",
        ) from None


def _events(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None, "its output is a pipe"
    for line in process.stdout:
        with suppress(ValueError):  # the last line of an engine that was killed
            yield json.loads(line)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _told(event: dict[str, Any]) -> Exception:
    message, hint = event["message"], event.get("hint")
    if event["kind"] == "missing":
        return ToolMissingError(
            message,
            hint="install it: python -m pip install 'tinyml-tool[train]' (2 GB), or set "
            f"{PYTHON_VARIABLE} to a Python that has it",
        )
    if event["kind"] == "memory":
        return TrainingError(f"memory ran out: {message}", hint=_LESS_MEMORY)
    return InputError(message, hint=hint)


_LESS_MEMORY = "take a smaller --batch-size, fewer or smaller samples, or a smaller --arch"


def _died(status: int, log: Path) -> TrainingError:
    lines = _last_lines(log)
    if status == -signal.SIGKILL:
        return TrainingError(
            "the training process was killed (SIGKILL), most likely because memory ran out",
            hint=f"{_LESS_MEMORY}; then go on from the last epoch with --resume",
            details=lines,
        )
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    return TrainingError(
        f"the training process ended with {how}",
        hint=f"its last lines are in {log}; go on from the last epoch with --resume",
        details=lines,
    )


def _last_lines(log: Path) -> tuple[str, ...]:
    with log.open(encoding="utf-8", errors="replace") as file:
        return tuple(line.rstrip() for line in deque(file, _LOG_LINES) if line.strip())
