"""`answers check`: prove on the device that it says of outputs what this computer says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.api.chosen_inputs import chosen_inputs
from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.api.project import open_project
from tinyml_tool.api.session import (
    EmulatorName,
    Session,
    board_emulated_by,
    choose_emulator,
    open_session,
)
from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.answer_plan import answer_plan
from tinyml_tool.toolchain.answer_binding import AnswerStream
from tinyml_tool.toolchain.build import System, build_project
from tinyml_tool.verify.answer_runs import run_answered
from tinyml_tool.verify.device_answers import AnswerParity, DeviceAnswer, compare_answers

WINDOWS = 200


@dataclass(frozen=True)
class AnswerCheck:
    """What was compared with this computer, and what the answers cost on the device."""

    board: str
    ran_on: str
    answer: str
    """What they are."""
    answer_sha256: str
    parity: AnswerParity
    detections: int
    """Windows in which the device detects something."""
    ram_bytes: int
    instructions_per_window: int | None
    """Of answer_take(), without the model; None where nothing counts them."""

    @property
    def exact(self) -> bool:
        """Whether something was compared and nothing differs."""
        return self.parity.values_compared > 0 and self.parity.exact

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {**asdict(self), "parity": self.parity.to_json(), "exact": self.exact}


def check_answers(
    project: str | Path = ".",
    *,
    inputs: Sequence[str | Path] = (),
    windows: int = WINDOWS,
    seed: int = 0,
    port: str | None = None,
    emulator: EmulatorName | None = None,
    system: System = "platformio",
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> AnswerCheck:
    """Run the model on the device, window after window, and compare all answers bit for bit.

    `inputs` are files of the model's inputs; without any, `windows` inputs are made.  Differences
    are not raised: they are told.  Raises InputError where the project has no answer spec or a
    file does not fit, and what building and the device raise.
    """
    opened = open_project(project)
    if opened.answer is None:
        raise InputError(
            f"{opened.folder}: was generated without [answer]",
            hint="write a table [answer] into tinyml.toml, or use a model that brings its own",
        )
    graph = opened.source.graph
    plan = answer_plan(opened.answer, graph)
    emulator = choose_emulator(opened.board, emulator, port)
    chosen = chosen_inputs(graph, inputs, windows, seed)

    def elf() -> Path:
        emulated = board_emulated_by(opened.board, emulator)
        return build_project(
            opened.folder, opened.board, system, emulated=emulated, progress=progress
        ).elf

    with open_session(
        opened, elf=elf, port=port, emulator=emulator, time_limit=time_limit
    ) as session:
        progress(f"comparing the answers to {len(chosen.values)} windows")
        found = run_answered(plan, session.runner, chosen.values, apart=False)
        answers = [answer for _, answer in found]
        pairs = zip(chosen.values, found, strict=True)
        parity = compare_answers(
            AnswerStream(plan),
            [(given[0], outputs[0]) for given, (outputs, _) in pairs],
            answers,
            apart=False,
        )
        instructions = _instructions(session, answers[plan.spec.average :])
        ran_on = session.runner.hello.board
    return AnswerCheck(
        board=opened.board.id,
        ran_on=ran_on,
        answer=plan.about,
        answer_sha256=plan.hash,
        parity=parity,
        detections=sum(answer.detected is not None for answer in answers),
        ram_bytes=plan.ram_bytes,
        instructions_per_window=instructions,
    )


def _instructions(session: Session, answers: Sequence[DeviceAnswer]) -> int | None:
    """The mean of answers to which all windows of an average contribute."""
    benchmark = session.client.benchmark(1)
    rate = benchmark.instructions_per_tick
    if rate is None or not answers:
        return None
    mean = sum(answer.ticks for answer in answers) / len(answers)
    return round((mean - benchmark.empty_ticks) * float(rate))
