"""What a device says of its model's outputs, beside what the same C says on this computer."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from numpy.typing import NDArray

from tinyml_tool.errors import LinkError, MismatchError
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.protocol import TEXT_BYTES, AnswerReply
from tinyml_tool.toolchain.answer_binding import AnswerStream

_PLACE = struct.Struct("<if")


@dataclass(frozen=True)
class DeviceAnswer:
    """One answer of a device; `best` and `label` are None where its output is no number."""

    detected: str | None
    """The label of what is detected in this window."""
    best: int | None
    label: str | None
    """Of the best class."""
    score: float
    top: tuple[tuple[str, float], ...]
    """The best classes and their scores, the best first."""
    ticks: int
    """Of answer_take(), by the device's timer."""

    def to_json(self) -> dict[str, Any]:
        """As `run --json` tells it."""
        return {
            "detected": self.detected,
            "label": self.label,
            "score": self.score if self.best is not None else None,
            "top": [{"label": label, "score": score} for label, score in self.top],
        }


@dataclass(frozen=True)
class AnswerParity:
    """How many answers of a device were compared with this computer's."""

    answers: int
    values_compared: int
    values_different: int
    first_difference: str | None = None

    @property
    def exact(self) -> bool:
        """Whether nothing differs."""
        return self.values_different == 0

    def to_json(self) -> dict[str, Any]:
        """As reports hold it."""
        return {
            "answers": self.answers,
            "values_compared": self.values_compared,
            "values_different": self.values_different,
        }


def device_answer(reply: AnswerReply, spec: AnswerSpec) -> DeviceAnswer:
    """An answer with its labels.  Raises LinkError where they are not the spec's."""
    labels = spec.labels
    places = [_PLACE.unpack_from(reply.top, at) for at in range(0, len(reply.top), _PLACE.size)]
    numbers = [reply.detected, reply.best, *(place for place, _ in places)]
    if len(reply.top) % _PLACE.size or not all(-1 <= n < len(labels) for n in numbers):
        raise LinkError(f"the device answers with classes {numbers}, there are {len(labels)}")
    label = labels[reply.best] if reply.best >= 0 else None
    if (label or "")[: TEXT_BYTES - 1] != reply.label:
        raise LinkError(
            f"the device calls class {reply.best} '{reply.label}', the answer spec '{label}'",
            hint="generate, build and flash the firmware again from the model and its [answer]",
        )
    return DeviceAnswer(
        detected=labels[reply.detected] if reply.detected >= 0 else None,
        best=reply.best if reply.best >= 0 else None,
        label=label,
        score=reply.score,
        top=tuple((labels[place], score) for place, score in places),
        ticks=reply.ticks,
    )


def compare_answers(
    stream: AnswerStream,
    windows: Iterable[tuple[NDArray[Any], NDArray[Any]]],
    answers: Sequence[DeviceAnswer],
    *,
    apart: bool,
) -> AnswerParity:
    """Compare a device's answers with this computer's, bit for bit.

    `windows` are the model's input and its output as the device told it, one for each answer;
    `apart`: each is a row of its own, else they follow one another.
    """
    compared, different, first = 0, 0, None
    stream.restart()
    for number, ((given, output), found) in enumerate(zip(windows, answers, strict=True)):
        here = _values(_here(stream, given, output, apart))
        told = _values(found)
        compared += len(here)
        wrong = [(h, d) for h, d in zip_longest(here, told) if h != d]
        different += len(wrong)
        if wrong and first is None:
            first = f"answer {number}: this computer {wrong[0][0]}, the device {wrong[0][1]}"
    return AnswerParity(len(answers), compared, different, first)


def require_equal_answers(name: str, parity: AnswerParity | None) -> None:
    """Raise MismatchError where a device's answers differ."""
    if parity is None or parity.exact:
        return
    raise MismatchError(
        f"{name}: {parity.values_different:,} of {parity.values_compared:,} values of answers "
        f"differ; {parity.first_difference}",
        hint="build with the project's own flags: -ffp-contract=off, without -ffast-math",
    )


def _here(
    stream: AnswerStream, given: NDArray[Any], output: NDArray[Any], apart: bool
) -> DeviceAnswer:
    needed = given if stream.plan.rebuilt is not None else None
    answer = stream.alone(output, needed) if apart else stream.take(output, needed)
    labels = stream.plan.spec.labels
    return DeviceAnswer(
        detected=None if answer.detected is None else labels[answer.detected],
        best=answer.best,
        label=stream.label(answer),
        score=answer.score,
        top=tuple(stream.top()) if answer.best is not None else (),
        ticks=0,
    )


def _values(answer: DeviceAnswer) -> list[Any]:
    """What is compared, floats by their bits."""
    top = [value for label, score in answer.top for value in (label, _bits(score))]
    return [answer.detected, answer.best, _bits(answer.score), *top]


def _bits(value: float) -> str:
    return struct.pack("<f", value).hex()
