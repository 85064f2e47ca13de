"""Raw samples through the link: the board makes features of them and answers, as this computer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinyml_tool as tt
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.raw_samples import read_samples


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

    def to_json(self) -> dict[str, Any]:
        """What result.json holds."""
        return {"windows": self.windows, "different": self.different, "right": self.right}


def answers_to_raw(project: Path, model: Path, raw: RawSamples) -> RawAnswers:
    """Stream the files to the board as if they were its sensor's, and compare every window."""
    found = [outputs[0].values for outputs in tt.run(project, inputs=raw.files).outputs]
    expected = _on_this_computer(model, raw.files)
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
    return RawAnswers(len(expected), different, right)


def _on_this_computer(model: Path, files: Sequence[Path]) -> list[NDArray[Any]]:
    features = tt.Features(tt.load_features(model))  # what the training put into it
    graph = tt.read_model(model)
    tensor = graph.tensor(graph.inputs[0])
    quantization = tensor.quantization
    assert quantization is not None, "the model is int8"
    reference = TflmReference(model.read_bytes(), graph.name)
    return [
        reference.run([window.reshape(tensor.shape)])[0]
        for file in files
        for window in features.quantized(
            read_samples(file, features.spec), quantization.scale, quantization.zero_point
        )
    ]
