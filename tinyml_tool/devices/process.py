"""A child process that cannot outlive this one, with its messages kept and its end certain."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock, Thread

_LAUNCHER = Path(__file__).with_name("die_with_parent.py")
_MESSAGES_MAX = 64 * 1024
_POLITE_SECONDS = 1.0


class ChildProcess:
    """A running program in its own process group: Ctrl-C in the terminal does not reach it.

    Its standard input and output are closed; what it writes to standard error is in `messages`.
    """

    def __init__(self, command: Sequence[str], directory: Path | None = None) -> None:
        """Start `command` in `directory`.  Raises OSError where no process can be made."""
        self._messages = bytearray()
        self._lock = Lock()
        self._process = _spawner(os.getpid()).submit(_spawn, command, directory).result()
        self._reader = Thread(target=self._read_messages, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.poll()

    @property
    def messages(self) -> str:
        """The last 64 KB of its standard error."""
        with self._lock:
            return self._messages.decode("utf-8", "replace")

    def wait(self, timeout: float) -> int | None:
        """Wait for the end and for the last message; None where it still runs after `timeout`."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(timeout)
        return status

    def end(self) -> None:
        """End it, politely first, and wait until it is gone.  May be called twice."""
        for request in (signal.SIGTERM, signal.SIGKILL):
            if self.exit_status is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, request)
            if self.wait(_POLITE_SECONDS) is not None:
                return
        self._process.wait()

    def _read_messages(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        with pipe:
            while data := os.read(pipe.fileno(), 4096):
                with self._lock:
                    self._messages += data
                    del self._messages[:-_MESSAGES_MAX]


def _spawn(command: Sequence[str], directory: Path | None) -> subprocess.Popen[bytes]:
    launcher = (sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()))
    return subprocess.Popen(
        [*launcher, *command],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@cache
def _spawner(process: int) -> ThreadPoolExecutor:
    """One thread that starts all children of `process`, this one, and lives as long as it.

    The kernel ends a child when the *thread* that made it ends, so a short-lived thread must not
    be its parent.
    """
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="tinyml-spawner")
