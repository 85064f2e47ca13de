"""Raw samples through the link: the board makes features of them and answers, as this computer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import tinyml_tool as tt
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.device_answers import DeviceAnswer
from tinyml_tool.verify.raw_samples import read_samples

Window: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
"""The model's input and what it says to that."""


@dataclass(frozen=True)
class RawSamples:
    """Files as a sensor would give them, and what is right for each complete window."""

    files: tuple[Path, ...]
    labels: tuple[int, ...] | None = None
    """One for each window of all files, in their order; None where there are no classes."""


@dataclass(frozen=True)
class RawAnswers:
    """How the board answered to raw samples."""

    windows: int
    different: int
    """Windows with other outputs than the computer's, which ran the same C and the reference."""
    right: int | None
    answers_different: int | None = None
    """Windows of which the board says something else than the computer, by bits of the score; None
    where the model has no answer spec."""
    detected: int | None = None
    """Windows in which the board detects something."""

    def to_json(self) -> dict[str, Any]:
        """What result.json holds."""
        return asdict(self)


def answers_to_raw(project: Path, model: Path, raw: RawSamples) -> RawAnswers:
    """Stream the files to the board as if they were its sensor's, and compare every window."""
    run = tt.run(project, inputs=raw.files)
    found = [outputs[0].values for outputs in run.outputs]
    windows = _on_this_computer(model, raw.files)
    expected = [output for _, output in windows]
    if len(found) != len(expected):
        return RawAnswers(len(expected), abs(len(found) - len(expected)), None)
    different = sum(
        not np.array_equal(one.reshape(-1), other.reshape(-1))
        for one, other in zip(found, expected, strict=True)
    )
    right = None
    if raw.labels is not None:
        answers = [int(values.argmax()) for values in found]
        right = sum(a == label for a, label in zip(answers, raw.labels, strict=True))
    if not run.answers:
        return RawAnswers(len(expected), different, right)
    otherwise = _answers_different(model, windows, run.answers)
    detected = sum(answer.detected is not None for answer in run.answers)
    return RawAnswers(len(expected), different, right, otherwise, detected)


def _answers_different(model: Path, windows: Sequence[Window], told: Sequence[DeviceAnswer]) -> int:
    """How many answers of the board are not what this computer says of its own outputs.

    The windows of all files are one stream here; so without averages, or of one file.
    """
    stream = tt.answers_of(model)
    here = [stream.take(output, given) for given, output in windows]
    return sum(
        (one.best, one.score) != (other.best, other.score)
        for one, other in zip(here, told, strict=True)
    )


def _on_this_computer(model: Path, files: Sequence[Path]) -> list[Window]:
    features = tt.Features(tt.load_features(model))  # what the training put into it
    graph = tt.read_model(model)
    tensor = graph.tensor(graph.inputs[0])
    quantization = tensor.quantization
    assert quantization is not None, "the model is int8"
    reference = TflmReference(model.read_bytes(), graph.name)
    inputs = [
        window.reshape(tensor.shape)
        for file in files
        for window in features.quantized(
            read_samples(file, features.spec), quantization.scale, quantization.zero_point
        )
    ]
    return [(window, reference.run([window])[0]) for window in inputs]
