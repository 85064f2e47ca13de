"""One training at a time for each output folder."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

from tinyml_tool.cache_folder import cache_folder
from tinyml_tool.errors import OutputError

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def alone_in_output(work: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """A function whose keyword `output` names a folder holds that folder while it runs.

    Then it raises OutputError where another process, or this one, holds it already.
    """

    @functools.wraps(work)
    def alone(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        place: Any = kwargs.get("output")
        if place is None:
            return work(*args, **kwargs)  # which says that it is missing
        with held(Path(place), work.__name__):
            return work(*args, **kwargs)

    return alone


@contextmanager
def held(target: Path, what: str) -> Iterator[None]:
    """Hold the output folder `target` for the work `what`.

    The system frees the lock of a process that is gone, however it ended, so nothing is left to
    clean up by hand.  The lock is a file in the user's cache: output and its parents may not be
    there yet.  Raises OutputError that tells who holds the folder, and since when.
    """
    resolved = str(target.resolve())
    name = hashlib.sha256(resolved.encode()).hexdigest()[:32]
    path = cache_folder() / "locks" / f"{name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be made: {error.strerror or error}",
            hint="let XDG_CACHE_HOME name a folder that you may write to",
        ) from None
    if file is None:
        raise _told(target, path)
    with file:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        file.truncate()
        file.write(json.dumps({**holder, "what": what, "output": resolved}))
        file.flush()
        try:
            yield
        finally:
            # Removed while it is still held: who opened it meanwhile sees that it is gone.
            with suppress(OSError):
                path.unlink()


def _locked(path: Path) -> IO[str] | None:
    """The lock's file, held until it is closed; None where another one holds it."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                file.seek(0)
                return file
        except FileNotFoundError:
            pass  # its holder has just ended and removed it
        except BlockingIOError:
            file.close()
            return None
        file.close()


def _told(target: Path, path: Path) -> OutputError:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        clock = time.strftime("%H:%M:%S", time.localtime(holder["since"]))
        who = f"`tinyml {holder['what']}` in process {holder['pid']}, since {clock}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process, which has just begun"
    return OutputError(
        f"{target}: another training writes it: {who}",
        hint="wait until it has ended, stop it, or choose another --output",
    )
