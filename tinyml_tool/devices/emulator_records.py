"""The list of emulators that run on their own: one file each, locked as long as the emulator runs.

The lock is the truth: the kernel drops it however the process ends, so that a file without lock is
left over from a crash and is removed by the next who looks.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tinyml_tool.cache_folder import cache_folder
from tinyml_tool.errors import OutputError

FOLDER_VARIABLE = "TINYML_RUNTIME_DIR"


@dataclass(frozen=True)
class EmulatorRecord:
    """An emulator that runs on its own.  Times are seconds since 1970."""

    board: str
    emulator: str
    pid: int
    """Process to end: that which keeps the emulator."""
    port: int
    """TCP port on the loopback interface that carries the board's UART."""
    project: str
    elf: str
    build_id: str
    model_name: str
    baud: int
    started: float
    ends: float

    @property
    def url(self) -> str:
        """What pyserial opens."""
        return f"socket://127.0.0.1:{self.port}"

    def seconds_left(self, now: float) -> float:
        """Time until it ends by itself; 0 when that is over."""
        return max(0.0, self.ends - now)


@dataclass(frozen=True)
class LastEnd:
    """How the last emulator of a board came to its end, if not by a stop."""

    reason: str
    time: float


def records_folder() -> Path:
    """Where the records are, made when first needed; only this user can look into it.

    The user's runtime folder, or the cache folder where there is none; TINYML_RUNTIME_DIR names
    another one.  Raises OutputError where it cannot be made.
    """
    folder = _folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.geteuid():
            raise PermissionError(0, "it belongs to another user")
    except OSError as error:
        raise OutputError(
            f"{folder}: the list of running emulators cannot be kept there: {error.strerror}",
            hint=f"set {FOLDER_VARIABLE} to a folder of your own",
        ) from None
    return folder


def _folder() -> Path:
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir() and os.access(runtime, os.W_OK):
        return Path(runtime) / "tinyml"
    return cache_folder("emulators")


def running_emulators() -> tuple[EmulatorRecord, ...]:
    """All emulators of this user that run on their own, by board.

    None where there is no list, or none that this user could have written: never an error.
    """
    folder = _folder()
    try:
        if folder.stat().st_uid != os.geteuid():
            return ()
        with _changing(folder):
            return tuple(_take_stock(folder))
    except OSError:
        return ()


def _take_stock(folder: Path) -> Iterator[EmulatorRecord]:
    """The records whose emulators run; the others are removed."""
    for path in sorted(folder.glob("*.json")):
        if not _is_locked(path):
            path.unlink(missing_ok=True)
        elif record := _read(path):
            yield record


def running_emulator(board: str) -> EmulatorRecord | None:
    """The emulator of that board, None where none runs."""
    return next((record for record in running_emulators() if record.board == board), None)


class PublishedRecord:
    """The record of this process's emulator: listed from now until `withdraw`, or its death."""

    def __init__(self, record: EmulatorRecord) -> None:
        """Replaces a record of the same board, whose emulator must have ended."""
        folder = records_folder()
        self._path = folder / f"{record.board}.json"
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".new")
        self._descriptor = descriptor
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, json.dumps(asdict(record), indent=1).encode())
        with _changing(folder):
            Path(name).rename(self._path)
            (folder / f"{record.board}.ended").unlink(missing_ok=True)

    def withdraw(self) -> None:
        """Take it off the list."""
        with _changing(self._path.parent):
            with suppress(OSError):
                if self._path.stat().st_ino == os.fstat(self._descriptor).st_ino:
                    self._path.unlink()
            os.close(self._descriptor)


@contextmanager
def only_one_flashes(board: str) -> Iterator[None]:
    """Lets one process at a time replace the emulator of a board; others wait."""
    path = records_folder() / f"{board}.lock"
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def log_path(board: str) -> Path:
    """Where the messages of a board's emulator go."""
    return records_folder() / f"{board}.log"


def note_end(board: str, reason: str) -> None:
    """Remember why the emulator of a board ended by itself."""
    end = {"reason": reason, "time": time.time()}
    with suppress(OSError):
        (records_folder() / f"{board}.ended").write_text(json.dumps(end))


def last_end(board: str) -> LastEnd | None:
    """Why the last emulator of a board ended by itself; None where it was stopped, or unknown."""
    try:
        values = json.loads((_folder() / f"{board}.ended").read_text())
        return LastEnd(str(values["reason"]), float(values["time"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _changing(folder: Path) -> Iterator[Path]:
    """While the list changes nobody else looks at it."""
    with (folder / ".list").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _read(path: Path) -> EmulatorRecord | None:
    try:
        return EmulatorRecord(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):  # of another version of this tool
        return None
