"""How often a classifier is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import DeviceError, InputError


class ManyRunner(Protocol):
    """Something that runs one model on many inputs at once."""

    def run_many(self, batch: Sequence[Sequence[NDArray[Any]]]) -> Sequence[Sequence[NDArray[Any]]]:
        """The model's outputs of each inference, in the order of the batch."""
        ...


@dataclass(frozen=True)
class Accuracy:
    """A classifier's answers to labelled samples."""

    labels: tuple[int, ...]
    predictions: tuple[int, ...]

    @property
    def samples(self) -> int:
        """How many samples there were."""
        return len(self.labels)

    @property
    def correct(self) -> int:
        """How many answers equal their label."""
        return sum(map(int.__eq__, self.predictions, self.labels))

    @property
    def share(self) -> float:
        """The share of right answers, 0 to 1."""
        return self.correct / self.samples


def predicted_class(output: NDArray[Any]) -> int:
    """Return the index of the highest score; of equal scores the first."""
    return int(np.argmax(output.reshape(-1)))


def measure_accuracy(
    runner: ManyRunner, batch: Sequence[Sequence[NDArray[Any]]], labels: Sequence[int]
) -> Accuracy:
    """Run all samples and compare the class of each, taken from the model's first output.

    Raises InputError where samples and labels are none or not equally many, or where a label is
    no class of the model.
    """
    if len(batch) != len(labels) or not labels:
        raise InputError(f"{len(batch)} samples and {len(labels)} labels: accuracy needs as many")
    results = runner.run_many(batch)
    if len(results) != len(batch):
        raise DeviceError(f"{len(batch)} samples gave {len(results)} answers")
    classes = results[0][0].size
    wrong = next((label for label in labels if not 0 <= label < classes), None)
    if wrong is not None:
        raise InputError(f"label {wrong} is no class of a model of {classes} classes")
    predictions = tuple(predicted_class(outputs[0]) for outputs in results)
    return Accuracy(tuple(int(label) for label in labels), predictions)
