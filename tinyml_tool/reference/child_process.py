"""Runs a function in a forked child, so that a crash in C code does not take the tool with it."""

from __future__ import annotations

import faulthandler
import os
import resource
import select
import signal
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, NoReturn

_RETURNED = b"="
_RAISED = b"!"
_STDERR = 2
_MAX_LOG_BYTES = 64 * 1024


@dataclass(frozen=True)
class ChildEnd:
    """How the child ended: exactly one of `value`, `error`, `signal_name`, `timed_out` is set."""

    value: bytes | None = None
    """What the function returned."""
    error: str | None = None
    """The exception it raised, as `TypeName: text`; or that it ended without an answer."""
    signal_name: str | None = None
    """The signal that killed it, e.g. SIGSEGV."""
    timed_out: bool = False
    log: tuple[str, ...] = ()
    """The lines it wrote to standard error."""


def run_in_child(function: Callable[[], bytes], seconds: float) -> ChildEnd:
    """Call `function` in a forked child of this process and wait for it at most `seconds`.

    The child inherits all memory as it is, so the function needs no arguments and starts at once.
    It must not rely on other threads, which do not exist in the child.  Only where fork exists.
    """
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryFile() as log:
        read_end, write_end = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns about forking beside threads; the child takes none of their locks.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.close(read_end)
            _child(function, write_end, log)
        os.close(write_end)
        answer = None
        try:
            answer = _read_until(read_end, deadline)
        finally:
            os.close(read_end)
            status = _reap(child, finished=answer is not None)
        log.seek(0)
        text = log.read(_MAX_LOG_BYTES).decode("utf-8", errors="replace")
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    return _end(answer, status, lines)


def _child(function: Callable[[], bytes], write_end: int, log: IO[bytes]) -> NoReturn:
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.dup2(log.fileno(), _STDERR)
        try:
            message = _RETURNED + function()
        except Exception as error:
            message = _RAISED + f"{type(error).__name__}: {error}".encode()
        while message:
            message = message[os.write(write_end, message) :]
    finally:
        os._exit(0)  # never unwind into the parent's code


def _read_until(read_end: int, deadline: float) -> bytes | None:
    """All bytes up to the end of file, or None when the time is over."""
    poll = select.poll()
    poll.register(read_end, select.POLLIN)
    parts: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            return None
        part = os.read(read_end, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _reap(child: int, *, finished: bool) -> int:
    """Return the child's wait status; a child that has not closed its pipe is killed first."""
    if not finished:
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _end(answer: bytes | None, status: int, log: tuple[str, ...]) -> ChildEnd:
    if answer is None:
        return ChildEnd(timed_out=True, log=log)
    if os.WIFSIGNALED(status):
        return ChildEnd(signal_name=signal.Signals(os.WTERMSIG(status)).name, log=log)
    if answer.startswith(_RETURNED):
        return ChildEnd(value=answer[1:], log=log)
    if answer.startswith(_RAISED):
        return ChildEnd(error=answer[1:].decode("utf-8", errors="replace"), log=log)
    return ChildEnd(error=f"ended with status {os.waitstatus_to_exitcode(status)}", log=log)
