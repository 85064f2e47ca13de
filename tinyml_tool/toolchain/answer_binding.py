"""The generated evaluation of scores as a Python object: outputs in, answers out."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.firmware.answer_files import answer_files, answer_host_source
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.toolchain.host_library import host_library

_MAIN = "answer_host.c"


class _Answer(ctypes.Structure):
    _fields_ = (
        ("detected", ctypes.c_int32),
        ("best", ctypes.c_int32),
        ("score", ctypes.c_float),
    )


@dataclass(frozen=True)
class Answer:
    """What one window says: `detected` is a class, or None."""

    detected: int | None
    best: int
    score: float


class AnswerStream:
    """One stream of windows; each has its own state, all share the compiled library."""

    def __init__(self, plan: AnswerPlan) -> None:
        """Build or find the library.  Raises what `host_library` raises."""
        self.plan = plan
        files = {**answer_files(plan), _MAIN: answer_host_source()}
        # PyDLL keeps the interpreter's lock: the library's one static state is never shared.
        self._library = ctypes.PyDLL(str(host_library(files, _MAIN)))
        self._library.answer_score.restype = ctypes.c_float
        self._state = ctypes.create_string_buffer(plan.ram_bytes)
        self.restart()

    def restart(self) -> None:
        """Forget all windows."""
        self._library.answer_start()
        self._library.answer_host_save(self._state)

    def take(self, scores: NDArray[Any]) -> Answer:
        """Take a window's scores as the model stores them.

        Raises InputError where they are not as many as labels, or of another type.
        """
        wanted = self.plan.format.dtype
        if scores.dtype != wanted or scores.size != len(self.plan.spec.labels):
            raise InputError(
                f"the scores are {scores.size} of {scores.dtype}, expected "
                f"{len(self.plan.spec.labels)} of {wanted}"
            )
        stored = np.ascontiguousarray(scores)
        found = _Answer()
        self._library.answer_host_load(self._state)
        self._library.answer_host_take(ctypes.c_void_p(stored.ctypes.data), ctypes.byref(found))
        self._library.answer_host_save(self._state)
        detected = None if found.detected < 0 else int(found.detected)
        return Answer(detected, int(found.best), float(found.score))

    def top(self, count: int) -> list[tuple[str, float]]:
        """Labels and averages of the `count` best classes.  Raises InputError for another count."""
        labels = self.plan.spec.labels
        if not 1 <= count <= len(labels):
            raise InputError(f"{count} of {len(labels)} classes cannot be told")
        places = (ctypes.c_int32 * count)()
        self._library.answer_host_load(self._state)
        self._library.answer_top(count, places)
        return [(labels[c], float(self._library.answer_score(c))) for c in places]
