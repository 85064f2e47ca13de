"""Answer plans to test, windows for them, and what a device answers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.boards import load_boards
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.firmware.answer_files import answer_files
from tinyml_tool.preprocess.answer_plan import AnswerPlan, Rebuilt
from tinyml_tool.preprocess.answer_spec import parse_answer
from tinyml_tool.preprocess.plan import ValueFormat
from tinyml_tool.toolchain.answer_binding import AnswerStream

sys.path.append(str(Path(__file__).resolve().parents[1] / "devices"))
from selftest_firmware import build, need_tools, read_to_end

LABELS = ["silence", "unknown", "yes", "no", "go"]
TABLE = {"labels": LABELS, "average": 4, "threshold": 0.3, "refractory": 6, "ignore": ["silence"]}
INT8 = ValueFormat("int8", 1 / 256, -128)
REAL = ValueFormat()
CORES = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")

Windows = list[tuple[NDArray[Any] | None, NDArray[Any]]]
"""(the model's input where it is needed, the model's output) of each window."""


def classes_plan(value_format: ValueFormat, **changes: Any) -> AnswerPlan:
    return AnswerPlan(parse_answer({**TABLE, **changes}, "x"), value_format)


def anomaly_plan(
    given: ValueFormat, made: ValueFormat, values: int = 5, **changes: Any
) -> AnswerPlan:
    table = {"kind": "anomaly", "threshold": 0.02, **changes}
    return AnswerPlan(parse_answer(table, "x"), made, Rebuilt(values, given))


BLOCKS = {
    "classes-int8": classes_plan(INT8),
    "classes-uint8": classes_plan(ValueFormat("uint8", 1 / 256, 0), thresholds={"yes": 0.5}),
    "classes-int16": classes_plan(ValueFormat("int16", 1 / 32768, 0), average=1, refractory=0),
    "classes-float32": classes_plan(REAL, ignore=[], thresholds={"go": 0.45}),
    "anomaly-int8": anomaly_plan(
        ValueFormat("int8", 0.0123, -7), ValueFormat("int8", 0.011, 12), average=3
    ),
    "anomaly-int16": anomaly_plan(
        ValueFormat("int16", 4.1e-5, 0), ValueFormat("int16", 3.9e-5, 0), refractory=2
    ),
    "anomaly-float32": anomaly_plan(REAL, REAL, average=2),
}


def stored_values(real: NDArray[np.float64], value_format: ValueFormat) -> NDArray[Any]:
    """Real numbers as a tensor of this format holds them."""
    if not value_format.is_quantized:
        return real.astype(np.float32)
    numbers = np.rint(real / value_format.scale) + value_format.zero_point
    return np.clip(numbers, *value_format.limits).astype(value_format.dtype)


def scores_of(count: int, value_format: ValueFormat, seed: int = 0) -> NDArray[Any]:
    """Windows of scores that often agree with the one before; (count, classes)."""
    chance = np.random.default_rng(seed)
    favourite = np.repeat(chance.integers(0, 5, -(-count // 7)), 7)[:count]
    real = chance.uniform(0, 0.45, (count, 5)) + 0.5 * np.eye(5)[favourite]
    return stored_values(real, value_format)


def windows_of(plan: AnswerPlan, count: int, seed: int = 0) -> Windows:
    """Made windows: for an anomaly score what is given back badly, or not at all."""
    if plan.rebuilt is None:
        return [(None, scores) for scores in scores_of(count, plan.format, seed)]
    chance = np.random.default_rng(seed)
    inputs = chance.normal(0, 0.5, (count, plan.rebuilt.values))
    noise = chance.normal(0, 1, inputs.shape) * chance.choice([0, 0.01, 0.1, 0.5], (count, 1))
    inputs[:2] = 1e3  # full scale, where it saturates
    given = stored_values(inputs, plan.rebuilt.format)
    return list(zip(given, stored_values(inputs + noise, plan.format), strict=True))


def answers_on(board: str, plan: AnswerPlan, windows: Windows, folder: Path) -> NDArray[Any]:
    """What the emulated core tells of each window: (detected, best, score, top, scores)."""
    need_tools()
    chosen = load_boards()[board]
    sources = folder / "build"
    sources.mkdir(parents=True)
    for path, text in answer_files(plan).items():
        (sources / Path(path).name).write_text(text)
    elf = build(chosen, sources, program=str(Path(__file__).parent / "answers.c"))
    parts = [part.tobytes() for window in windows for part in window if part is not None]
    (folder / "windows").write_bytes(b"".join(parts))
    with QemuDevice(chosen, elf, directory=folder, time_limit=500) as device:
        _, ending = read_to_end(device, timeout=400)
    assert ending.exit_status == 0
    return np.frombuffer((folder / "answers").read_bytes(), record(plan))


def answers_here(plan: AnswerPlan, windows: Windows) -> NDArray[Any]:
    """The same on this computer."""
    stream = AnswerStream(plan)
    told = np.zeros(len(windows), record(plan))
    for place, (given, output) in enumerate(windows):
        answer = stream.take(output, given)
        told[place]["detected"] = -1 if answer.detected is None else answer.detected
        told[place]["best"] = -1 if answer.best is None else answer.best
        told[place]["score"] = answer.score
        for rank, (label, score) in enumerate(stream.top()):
            told[place]["top"][rank] = plan.spec.labels.index(label)
            told[place]["scores"][rank] = score
    return told


def record(plan: AnswerPlan) -> np.dtype[Any]:
    top = plan.top
    fields = [("detected", "<i4"), ("best", "<i4"), ("score", "<f4")]
    return np.dtype([*fields, ("top", "<i4", (top,)), ("scores", "<f4", (top,))])


@dataclass(frozen=True)
class Compared:
    """How many values were compared, and how many of them differ in a bit."""

    values: int
    different: int


def compared(one: NDArray[Any], other: NDArray[Any]) -> Compared:
    assert len(one) == len(other)
    bits = one.view(np.uint32), other.view(np.uint32)
    return Compared(bits[0].size, int(np.count_nonzero(bits[0] != bits[1])))
