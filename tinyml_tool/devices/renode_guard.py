"""Runs Renode so that nothing of it stays behind: neither its processes nor its files.

Run as a script: `python renode_guard.py DIRECTORY COMMAND ...`.  Renode is often started by a shell
script, so that ending the script alone would leave Renode running.  This process leads the group
that both belong to, and ends the whole group when its own parent is gone or when it is told to.
Renode keeps its settings and temporary files in DIRECTORY, which is removed in the end, and what
it prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from types import FrameType

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.2
_POLITE_SECONDS = 0.5


def main() -> None:
    """Run the command to its end; ends with its status."""
    directory, command, parent = sys.argv[1], sys.argv[2:], os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 0)  # dies by its own hand, to take Renode along
    environment = {**os.environ, "TMPDIR": directory, "XDG_CONFIG_HOME": directory}
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr, cwd=directory, env=environment
        )
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")

    def end(_signal: int, _frame: FrameType | None) -> None:
        _end_group(child, directory)

    signal.signal(signal.SIGTERM, end)
    while _wait(child, _POLL_SECONDS) is None:
        if os.getppid() != parent:
            _end_group(child, directory)
    shutil.rmtree(directory, ignore_errors=True)
    status = child.returncode
    sys.exit(128 - status if status < 0 else status)


def _wait(child: subprocess.Popen[bytes], seconds: float) -> int | None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return child.wait(seconds)
    return None


def _end_group(child: subprocess.Popen[bytes], directory: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    _wait(child, _POLITE_SECONDS)
    shutil.rmtree(directory, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
