"""Makes an environment: all of it or nothing, going on where an interrupted attempt ended."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tinyml_tool.environments.catalogue import Environment
from tinyml_tool.environments.find import COMPLETE, FoundPython, find_environment
from tinyml_tool.errors import ToolMissingError

Consent = Callable[[Environment], bool]
"""Asks the user whether that much may be downloaded and kept."""

_LOG = "install.log"
_ROOM = 1.5
"""Free space wanted, as a multiple of what the environment takes: downloads come on top."""


def refuse(environment: Environment) -> bool:
    """The consent of those who were not asked: none."""
    del environment
    return False


def require_environment(
    environment: Environment,
    consent: Consent = refuse,
    progress: Callable[[str], None] = lambda text: None,
) -> FoundPython:
    """Find the environment, or make it if `consent` says so.

    Raises ToolMissingError with its size and the way to allow it, or with what pip said.
    """
    found = find_environment(environment)
    if found is not None:
        return found
    if not consent(environment):
        raise ToolMissingError(
            f"{environment.needed_for} need {', '.join(environment.modules)}, "
            "which are not installed",
            hint=f"--yes installs them into {environment.folder} ({environment.disk_gb} GB); "
            f"or set {environment.variable} to a Python that has them",
        )
    return make_environment(environment, progress)


def make_environment(environment: Environment, progress: Callable[[str], None]) -> FoundPython:
    """Install the requirements into the environment's folder.

    What an interrupted attempt has installed is kept beside it and used.  Raises ToolMissingError.
    """
    folder = environment.folder
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_name(f"{folder.name}.lock")):
            if (folder / COMPLETE).is_file():
                return FoundPython(folder / "bin" / "python", f"made in {folder}")
            _check_room(environment, folder.parent)
            progress(f"making a Python environment for {environment.needed_for}")
            if not (partial / "bin" / "python").exists():
                shutil.rmtree(partial, ignore_errors=True)
                _run([sys.executable, "-m", "venv", str(partial)], partial, environment, progress)
            python = str(partial / "bin" / "python")
            install = [python, "-m", "pip", "install", "--no-input", *environment.requirements]
            _run(install, partial, environment, progress)
            imports = "; ".join(f"import {module}" for module in environment.modules)
            progress(f"trying {', '.join(environment.modules)} out")
            _run([python, "-c", imports], partial, environment, progress)
            (partial / COMPLETE).write_text("\n".join(environment.requirements) + "\n")
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
    except OSError as error:
        raise ToolMissingError(
            f"{folder}: cannot be made: {error.strerror or error}",
            hint="free some disk space, or let XDG_CACHE_HOME name a place with more",
        ) from None
    return FoundPython(folder / "bin" / "python", f"made in {folder}")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let no other process make the same environment meanwhile."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_room(environment: Environment, place: Path) -> None:
    needed = environment.disk_gb * _ROOM
    free = shutil.disk_usage(place).free / 1e9
    if free < needed:
        raise ToolMissingError(
            f"{place} has {free:.1f} GB of room; {environment.needed_for} need {needed:.1f} GB",
            hint="free some disk space, or let XDG_CACHE_HOME name a place with more",
        )


def _run(
    command: list[str], folder: Path, environment: Environment, progress: Callable[[str], None]
) -> None:
    """Run a step, telling what pip is at; its whole output goes to a log beside the folder."""
    log = folder.with_name(f"{folder.name}.{_LOG}")
    last: deque[str] = deque(maxlen=12)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": ""},
        start_new_session=True,
    )
    assert process.stdout is not None, "its output is a pipe"
    try:
        with log.open("a") as file:
            for line in process.stdout:
                file.write(line)
                last.append(line.rstrip())
                if line.startswith(("Collecting ", "Downloading ", "Installing ")):
                    progress(f"{environment.name}: {line.strip()[:80]}")
        status = process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()
        process.stdout.close()
    if status != 0:
        raise ToolMissingError(
            f"the Python environment '{environment.name}' could not be made "
            f"({Path(command[0]).name} ended with status {status})",
            hint=f"see {log}; the next attempt goes on where this one ended",
            details=[line for line in last if line.strip()],
        )
