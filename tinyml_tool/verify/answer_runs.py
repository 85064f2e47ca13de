"""Inferences on a device whose answers are compared with this computer's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.toolchain.answer_binding import AnswerStream
from tinyml_tool.verify.device_answers import (
    AnswerParity,
    DeviceAnswer,
    compare_answers,
    device_answer,
)
from tinyml_tool.verify.runner import Arrays, DeviceRunner


def run_answered(
    plan: AnswerPlan,
    runner: DeviceRunner,
    batch: Sequence[Sequence[NDArray[Any]]],
    *,
    apart: bool,
) -> list[tuple[Arrays, DeviceAnswer]]:
    """Outputs and answers of many inferences; `apart` as in `DeviceRunner.run_answers`."""
    found = runner.run_answers(batch, apart=apart)
    return [(outputs, device_answer(reply, plan.spec)) for outputs, reply in found]


def answer_parity(
    plan: AnswerPlan,
    runner: DeviceRunner,
    batch: Sequence[Sequence[NDArray[Any]]],
    *,
    apart: bool,
) -> AnswerParity:
    """Compare what the device says of its outputs with what this computer says of the same."""
    found = run_answered(plan, runner, batch, apart=apart)
    windows = [(inputs[0], told[0][0]) for inputs, told in zip(batch, found, strict=True)]
    answers = [answer for _, answer in found]
    return compare_answers(AnswerStream(plan), windows, answers, apart=apart)
