"""Programs that builds need: where they are, and running one without leaving anything behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tinyml_tool.errors import BuildError

_LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True)
class Finished:
    """A program that ended by itself: exit status, seconds, and all it wrote to both streams."""

    status: int
    seconds: float
    output: str


def find_program(name: str) -> Path | None:
    """Where the program `name` is: on PATH, or beside the Python that runs this."""
    beside = Path(sys.executable).parent
    found = shutil.which(name) or shutil.which(name, path=str(beside))
    return Path(found) if found else None


def build_environment(*programs: Path) -> dict[str, str]:
    """The environment for a build: English messages, and the folders of `programs` on PATH.

    So the build systems also find what `find_program` found only beside Python.
    """
    environment = dict(os.environ)
    locale = environment.pop("LC_ALL", None)
    if locale:
        environment["LANG"] = locale
    environment.pop("LANGUAGE", None)
    environment["LC_MESSAGES"] = "C"
    path = environment.get("PATH", os.defpath).split(os.pathsep)
    for program in programs:
        if str(program.parent) not in path:
            path.append(str(program.parent))
    environment["PATH"] = os.pathsep.join(path)
    return environment


def run_logged(
    command: Sequence[str | Path],
    *,
    directory: Path,
    environment: Mapping[str, str],
    log: Path,
    time_limit: float,
) -> Finished:
    """Run `command` in `directory`; what it writes goes to the file `log`.

    The program and its children end with this call, also after Ctrl-C, and with this process,
    however it ends.  Raises BuildError when
    the time limit (seconds) is over or the program cannot be started.
    """
    words = [str(word) for word in command]
    started = time.monotonic()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("wb")
    except OSError as error:
        raise BuildError(
            f"{log}: cannot be written: {error.strerror}",
            hint="builds write into the project's directory; make it writable or copy it",
        ) from None
    with file:
        process = _start(words, directory, environment, file)
    try:
        status = process.wait(time_limit)
    except subprocess.TimeoutExpired:
        _end_group(process)
        raise BuildError(
            f"the build did not end within {time_limit:g} s and was stopped",
            hint=f"see {log} for how far it got",
        ) from None
    except BaseException:
        _end_group(process)
        raise
    finally:
        _let_go(process)
    output = log.read_text(encoding="utf-8", errors="replace")
    return Finished(status, time.monotonic() - started, output)


def _start(
    words: list[str], directory: Path, environment: Mapping[str, str], output: BinaryIO
) -> subprocess.Popen[bytes]:
    if shutil.which(words[0], path=environment.get("PATH")) is None:
        raise _cannot_start(words[0], "there is no such program")
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LEASH), *words],
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise _cannot_start(words[0], str(error.strerror)) from None


def _cannot_start(program: str, reason: str) -> BuildError:
    return BuildError(f"cannot start {program}: {reason}", hint="`tinyml doctor` checks the tools")


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe by which the leash knows that this process lives."""
    assert process.stdin is not None
    process.stdin.close()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the program and all it has started, politely first."""
    for signal_number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 10.0)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal_number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
