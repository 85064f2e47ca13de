"""Runs a command that ends, with all it has started, when whoever asked for it is gone.

Run as a script: `python leash.py COMMAND ...`, as the leader of a process group.  Standard input
is a pipe that nobody writes to: the kernel closes it when its other end dies, `kill -9` included.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from threading import Thread

_POLITE_SECONDS = 1.0


def main() -> None:
    """Run the command; ends with its status, or 127 where it cannot be started."""
    # A handler, unlike SIG_IGN, does not survive exec: the command itself can be ended.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    except OSError as error:
        sys.stderr.write(f"{sys.argv[1]}: {error.strerror}\n")
        sys.exit(127)
    Thread(target=_end_all_with_the_pipe, daemon=True).start()
    status = process.wait()
    sys.stdout.flush()
    os._exit(status if status >= 0 else 128 - status)


def _end_all_with_the_pipe() -> None:
    os.read(0, 1)
    os.killpg(0, signal.SIGTERM)
    time.sleep(_POLITE_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
