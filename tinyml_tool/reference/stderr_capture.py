"""Catches what C code writes to standard error, which Python's own redirection does not see."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_MAX_BYTES = 64 * 1024
_one_at_a_time = threading.RLock()


class CapturedText:
    """What was written; complete once the `with` block has ended."""

    def __init__(self) -> None:
        self.text = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that are not blank, without surrounding space."""
        return tuple(line.strip() for line in self.text.splitlines() if line.strip())


@contextmanager
def captured_stderr() -> Iterator[CapturedText]:
    """Point file descriptor 2 at a temporary file inside the block; always put it back.

    The descriptor belongs to the whole process: blocks of several threads take turns, and what
    other threads write meanwhile is caught too.  Only the first 64 KB are kept.
    """
    captured = CapturedText()
    with _one_at_a_time, tempfile.TemporaryFile() as file:
        if sys.stderr is not None:
            sys.stderr.flush()
        before = _duplicate(_STDERR)
        os.dup2(file.fileno(), _STDERR)
        try:
            yield captured
        finally:
            _restore(before)
            file.seek(0)
            captured.text = file.read(_MAX_BYTES).decode("utf-8", errors="replace")


def _duplicate(descriptor: int) -> int | None:
    try:
        return os.dup(descriptor)
    except OSError:  # the process was started with standard error closed
        return None


def _restore(before: int | None) -> None:
    if before is None:
        os.close(_STDERR)
        return
    os.dup2(before, _STDERR)
    os.close(before)
