"""`run`: one or more inferences on the device, with answers in real numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.chosen_inputs import chosen_inputs
from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.api.project import open_project
from tinyml_tool.api.raw_runs import raw_inputs, run_raw
from tinyml_tool.api.session import EmulatorName, board_emulated_by, choose_emulator, open_session
from tinyml_tool.graph.types import Graph, Tensor
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.protocol import AnswerReply
from tinyml_tool.toolchain.build import System, build_project
from tinyml_tool.verify.device_answers import DeviceAnswer, device_answer
from tinyml_tool.verify.evidence import ArenaUse


@dataclass(frozen=True, eq=False)
class Output:
    """One output of one inference: the stored values, and what they mean."""

    name: str
    values: NDArray[Any]
    real: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RunResult:
    """What the device answered, by input."""

    board: str
    ran_on: str
    """What the firmware says it was built for: the board, or the emulated one in its place."""
    sources: tuple[str, ...]
    """Where each input came from."""
    outputs: tuple[tuple[Output, ...], ...]
    arena: ArenaUse
    instructions: int | None
    """Of one inference; None where nothing counts them."""
    seconds: float | None
    """Of one inference by the device's own clock; None in an emulator, where it means nothing."""
    answers: tuple[DeviceAnswer, ...] = ()
    """What the device says of each inference's outputs; empty where it has no answer spec."""

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "board": self.board,
            "ran_on": self.ran_on,
            "arena": self.arena.to_json(),
            "instructions_per_inference": self.instructions,
            "seconds_per_inference": self.seconds,
            "inferences": [
                {
                    "input": source,
                    "answer": self.answers[number].to_json() if self.answers else None,
                    "outputs": [
                        {
                            "name": output.name,
                            "shape": list(output.values.shape),
                            "values": output.values.reshape(-1).tolist(),
                            "real": _finite(output.real),
                        }
                        for output in outputs
                    ],
                }
                for number, (source, outputs) in enumerate(
                    zip(self.sources, self.outputs, strict=True)
                )
            ],
        }


def _finite(values: NDArray[np.float64]) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values.reshape(-1)]


def _real(values: NDArray[Any], tensor: Tensor) -> NDArray[np.float64]:
    numbers = values.astype(np.float64)
    quantization = tensor.quantization
    if quantization is None or quantization.per_channel:
        return numbers
    return (numbers - quantization.zero_point) * quantization.scale


def _outputs(arrays: Sequence[NDArray[Any]], graph: Graph) -> tuple[Output, ...]:
    tensors = [graph.tensors[index] for index in graph.outputs]
    return tuple(
        Output(tensor.name, array, _real(array, tensor))
        for tensor, array in zip(tensors, arrays, strict=True)
    )


def run(
    project: str | Path = ".",
    *,
    inputs: Sequence[str | Path] = (),
    vectors: int = 1,
    seed: int = 0,
    port: str | None = None,
    emulator: EmulatorName | None = None,
    system: System = "platformio",
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> RunResult:
    """Run inferences on the device of a generated project, building it first where needed.

    `inputs` are files; without any, `vectors` inputs are made.  Where the project has features,
    sound, pictures and tables are raw samples, which the device preprocesses itself, window after
    window.  Where it has an answer spec, it also says what the outputs mean; inputs of the model
    are judged apart from each other.  The device is the one at `port`, or `emulator`, by default
    the board's own.  Raises what building and the device raise.
    """
    opened = open_project(project)
    emulator = choose_emulator(opened.board, emulator, port)
    raw = raw_inputs(opened, inputs)
    chosen = chosen_inputs(opened.source.graph, () if raw else inputs, vectors, seed)

    def elf() -> Path:
        emulated = board_emulated_by(opened.board, emulator)
        return build_project(
            opened.folder, opened.board, system, emulated=emulated, progress=progress
        ).elf

    with open_session(
        opened, elf=elf, port=port, emulator=emulator, time_limit=time_limit
    ) as session:
        progress(f"running on {session.device.name}")
        found: Sequence[Sequence[NDArray[Any]]]
        told: Sequence[AnswerReply] = ()
        if raw:
            of_samples = run_raw(session, opened.source.graph, raw)
            names, found, told = of_samples.names, of_samples.outputs, of_samples.answers
        elif opened.answer is not None:
            both = session.runner.run_answers(chosen.values, apart=True)
            names, found = chosen.names, [outputs for outputs, _ in both]
            told = [answer for _, answer in both]
        else:
            names, found = chosen.names, session.runner.run_many(chosen.values)
        benchmark = session.benchmark()
        arena = session.arena(opened)
    return RunResult(
        board=opened.board.id,
        ran_on=session.runner.hello.board,
        sources=names,
        outputs=tuple(_outputs(arrays, opened.source.graph) for arrays in found),
        arena=arena,
        instructions=benchmark.instructions,
        seconds=benchmark.seconds,
        answers=_answers(told, opened.answer),
    )


def _answers(replies: Sequence[AnswerReply], spec: AnswerSpec | None) -> tuple[DeviceAnswer, ...]:
    return () if spec is None else tuple(device_answer(reply, spec) for reply in replies)
