"""The generated evaluation of outputs as a Python object: outputs in, answers out."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.firmware.answer_files import answer_files, answer_host_source
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.preprocess.plan import ValueFormat
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
    """What one window says.

    `detected` is a class, or None; `best` is None where the model's output is no number, and then
    the window counts as none.  `score` is the average of the best class, or the anomaly score.
    """

    detected: int | None
    best: int | None
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

    def take(self, output: NDArray[Any], model_input: NDArray[Any] | None = None) -> Answer:
        """Take a window's output as the model stores it, for an anomaly score with its input.

        Raises InputError where they are not as many as the model's, or of another type.
        """
        rebuilt = self.plan.rebuilt
        count = rebuilt.values if rebuilt is not None else len(self.plan.spec.labels)
        stored = _checked("scores", output, count, self.plan.format)
        found = _Answer()
        self._library.answer_host_load(self._state)
        if rebuilt is not None:
            if model_input is None:
                raise InputError("an anomaly score needs the model's input, too")
            given = _checked("inputs", model_input, rebuilt.values, rebuilt.format)
            self._library.answer_host_keep_input(ctypes.c_void_p(given.ctypes.data))
        self._library.answer_host_take(ctypes.c_void_p(stored.ctypes.data), ctypes.byref(found))
        self._library.answer_host_save(self._state)
        return Answer(_class(found.detected), _class(found.best), float(found.score))

    def alone(self, output: NDArray[Any], model_input: NDArray[Any] | None = None) -> Answer:
        """As `take`, for a window that belongs to no stream: what was before is forgotten."""
        self.restart()
        return self.take(output, model_input)

    def label(self, answer: Answer) -> str | None:
        """The name of the best class; None where the output is no number."""
        return None if answer.best is None else self.plan.spec.labels[answer.best]

    def top(self, count: int | None = None) -> list[tuple[str, float]]:
        """Labels and averages of the best classes, as many as the spec tells, or `count`.

        Raises InputError for a count that is none of classes.
        """
        labels = self.plan.spec.labels
        count = self.plan.top if count is None else count
        if not 1 <= count <= len(labels):
            raise InputError(f"{count} of {len(labels)} classes cannot be told")
        places = (ctypes.c_int32 * count)()
        self._library.answer_host_load(self._state)
        self._library.answer_top(count, places)
        return [(labels[c], float(self._library.answer_score(c))) for c in places]


def _class(number: int) -> int | None:
    return None if number < 0 else int(number)


def _checked(name: str, values: NDArray[Any], count: int, stored: ValueFormat) -> NDArray[Any]:
    if values.dtype != stored.dtype or values.size != count:
        raise InputError(
            f"the {name} are {values.size} of {values.dtype}, expected {count} of {stored.dtype}"
        )
    return np.ascontiguousarray(values)
