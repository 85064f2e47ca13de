"""Becomes another program that the kernel ends as soon as its parent is gone (Linux).

Run as a script: `python die_with_parent.py PARENT_PID COMMAND ...`.  The kernel's request survives
the `exec`, so it holds for any program, and whatever way the parent ends: `kill -9` too.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Replace this process by the command; ends with status 127 where that is not possible."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the request was made
        sys.exit(127)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
