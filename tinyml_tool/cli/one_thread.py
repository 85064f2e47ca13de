"""For commands that multiply no large matrices: numpy without its threads."""

from __future__ import annotations

import os

_THREADS = "OPENBLAS_NUM_THREADS"


def numpy_in_one_thread() -> None:
    """Let numpy's BLAS start no threads when it is loaded, which takes longer than such a command.

    What the user has set stays.  Not for commands that train or work on samples, nor their
    children: they inherit it.
    """
    os.environ.setdefault(_THREADS, "1")
