"""A terminal with a program in it: what stands on the screen, and keys to press."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence

from command import REPOSITORY

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]")


class Terminal:
    """Runs `tinyml` with `arguments` as the only program of a terminal."""

    def __init__(self, arguments: Sequence[str], *, columns: int = 100, **environment: str) -> None:
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            variables = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(REPOSITORY)}
            variables |= {"LANG": "C.UTF-8", **environment}
            for name in ("NO_COLOR", "COLUMNS", "LINES", "CI"):
                variables.pop(name, None)
            command = [sys.executable, "-m", "tinyml_tool", *arguments]
            os.execvpe(command[0], command, variables)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.modes = termios.tcgetattr(self._end)
        self._written = ""
        self._status: int | None = None

    @property
    def text(self) -> str:
        """All that was ever written, without colours and movements of the cursor."""
        return _CONTROLS.sub("", self._written)

    def shows(self, *words: str, times: int = 1, seconds: float = 10) -> bool:
        """Whether all of `words` appear that many times within that time."""
        deadline = time.monotonic() + seconds
        while not all(self.text.count(word) >= times for word in words):
            if time.monotonic() > deadline:
                return False
            self._read()
        return True

    def press(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def exit_status(self, seconds: float = 10) -> int:
        """Wait for the end; the status, as a shell counts it."""
        deadline = time.monotonic() + seconds
        while self._status is None:
            assert time.monotonic() < deadline, f"still running:\n{self.text}"
            self._read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        while self._read():
            pass
        return self._status

    def is_as_before(self) -> bool:
        """Whether the terminal echoes and waits for Enter again."""
        return termios.tcgetattr(self._end)[3] == self.modes[3]

    def close(self) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._end)

    def _read(self) -> bool:
        """Take what was written; False where nothing came within a moment, or ever will."""
        if not select.select([self._end], (), (), 0.1)[0]:
            return False
        try:
            data = os.read(self._end, 65536)
        except OSError:  # no program is left in the terminal
            time.sleep(0.01)
            return False
        self._written += data.decode("utf-8", "replace")
        return bool(data)
