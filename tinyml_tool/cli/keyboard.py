"""Single keys of a terminal, without waiting for Enter."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """A function that gives the keys pressed since it was last called, and never waits.

    The terminal is as before in the end.  Without a terminal, or in the background, where taking
    its keys would stop this process, no key is ever pressed.
    """
    if not _is_foreground_terminal():
        yield lambda: ""
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield lambda: _read(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _is_foreground_terminal() -> bool:
    try:
        terminal = sys.stdin.fileno()
        return os.isatty(terminal) and os.tcgetpgrp(terminal) == os.getpgrp()
    except (OSError, ValueError, AttributeError):  # stdin is closed, or no file
        return False


def _read(terminal: int) -> str:
    if not select.select([terminal], (), (), 0)[0]:
        return ""
    return os.read(terminal, 64).decode("ascii", "ignore")
