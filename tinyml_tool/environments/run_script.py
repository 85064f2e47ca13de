"""Runs a script in another Python and reads what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tinyml_tool.environments.find import FoundPython
from tinyml_tool.errors import (
    InputError,
    TinymlError,
    ToolMissingError,
    UnsupportedModelError,
)

_LAST_LINES = 15
_LOG_BYTES = 64 * 1024

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "TF_USE_LEGACY_KERAS": "0"}


def run_script(
    found: FoundPython,
    script: Path,
    job: Mapping[str, Any],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Run `script` on `job` and return the facts that it ends with.

    A script reads its job, one JSON object, from standard input and writes JSON objects, one a
    line, to the file descriptor that TINYML_EVENTS numbers: `{"progress": text}`, and last
    `{"done": facts}` or `{"error": kind, "message", "hint", "details"}` with kind "input",
    "unsupported" or "missing".  It ends with this call, however that ends.  Raises the error it
    tells, or UnsupportedModelError with its last words where it crashes.
    """
    read_end, write_end = os.pipe()
    with tempfile.TemporaryFile() as log, os.fdopen(read_end, encoding="utf-8") as events:
        try:
            process = _start(found, script, write_end, log.fileno())
        finally:
            os.close(write_end)
        try:
            assert process.stdin is not None, "its input is a pipe"
            with suppress(BrokenPipeError):
                process.stdin.write(json.dumps(job).encode())
                process.stdin.close()
            facts, failure = _follow(events, progress)
            status = process.wait()
        finally:
            _end(process)
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - _LOG_BYTES))
        lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    if failure is not None:
        raise failure
    if facts is None or status != 0:
        raise _crash(found, script, status, lines)
    return facts


def _start(found: FoundPython, script: Path, events: int, log: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **_QUIET, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    environment["TINYML_EVENTS"] = str(events)
    try:
        return subprocess.Popen(
            [str(found.python), str(script)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
            pass_fds=(events,),
            start_new_session=True,  # Ctrl-C is for this process, which ends the script
        )
    except OSError as error:
        raise ToolMissingError(
            f"{found.python} ({found.origin}) cannot be started: {error.strerror}",
            hint="`tinyml doctor` shows which Python is used for what",
        ) from None


def _follow(
    events: Any,  # noqa: ANN401 - a text file
    progress: Callable[[str], None],
) -> tuple[dict[str, Any] | None, TinymlError | None]:
    facts, failure = None, None
    for line in events:
        with suppress(ValueError):  # the last line of a script that was killed
            event = json.loads(line)
            if "progress" in event:
                progress(event["progress"])
            elif "done" in event:
                facts = event["done"]
            elif "error" in event:
                failure = _failure(event)
    return facts, failure


def _failure(event: dict[str, Any]) -> TinymlError:
    kinds: dict[str, type[TinymlError]] = {
        "input": InputError,
        "missing": ToolMissingError,
        "unsupported": UnsupportedModelError,
    }
    kind = kinds.get(event["error"], UnsupportedModelError)
    return kind(event["message"], hint=event.get("hint"), details=event.get("details") or ())


def _crash(found: FoundPython, script: Path, status: int, lines: list[str]) -> TinymlError:
    if any("ModuleNotFoundError" in line for line in lines[-3:]):
        return ToolMissingError(
            f"{found.python} ({found.origin}): {lines[-1]}",
            hint="`tinyml doctor` shows which Python is used for what",
        )
    if status < 0:
        with suppress(ValueError):
            name = signal.Signals(-status).name
            why = ", most likely because memory ran out" if name == "SIGKILL" else ""
            return UnsupportedModelError(
                f"the converter ({script.stem}) was ended by {name}{why}",
                hint="the model holds something the converter cannot take; see the details",
                details=lines[-_LAST_LINES:],
            )
    cause = lines[-1] if lines else f"status {status}"
    return UnsupportedModelError(
        f"the converter ({script.stem}) failed: {cause}",
        hint="the details are its last lines",
        details=lines[-_LAST_LINES:],
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
