"""What a classifier confuses with what, and the figures of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClassFigures:
    """How well one class is recognised; None where nothing can be divided by."""

    name: str
    samples: int
    precision: float | None
    """Share of right ones among the answers that are this class."""
    recall: float | None
    """Share of right ones among the samples of this class."""
    f1: float | None
    """Harmonic mean of both."""


@dataclass(frozen=True)
class Confusion:
    """Counts by true class (row) and answered class (column)."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def samples(self) -> int:
        """All samples."""
        return sum(map(sum, self.counts))

    @property
    def correct(self) -> int:
        """Samples on the diagonal."""
        return sum(row[index] for index, row in enumerate(self.counts))

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0 to 1."""
        return self.correct / self.samples

    @property
    def per_class(self) -> tuple[ClassFigures, ...]:
        """The figures of each class, in order."""
        columns = [sum(column) for column in zip(*self.counts, strict=True)]
        return tuple(
            _figures(name, row[index], sum(row), columns[index])
            for index, (name, row) in enumerate(zip(self.classes, self.counts, strict=True))
        )

    def to_json(self) -> dict[str, Any]:
        """Rows are true classes, columns answers."""
        return {
            "classes": list(self.classes),
            "accuracy": self.accuracy,
            "samples": self.samples,
            "confusion": [list(row) for row in self.counts],
            "per_class": [
                {
                    "class": one.name,
                    "samples": one.samples,
                    "precision": one.precision,
                    "recall": one.recall,
                    "f1": one.f1,
                }
                for one in self.per_class
            ],
        }


def confusion(
    labels: NDArray[np.int64], answers: NDArray[np.int64], classes: Sequence[str]
) -> Confusion:
    """Count true classes against answers, both (count,) of indices into `classes`."""
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (labels, answers), 1)
    return Confusion(tuple(classes), tuple(tuple(row) for row in counts.tolist()))


def _figures(name: str, right: int, samples: int, answered: int) -> ClassFigures:
    return ClassFigures(
        name,
        samples,
        right / answered if answered else None,
        right / samples if samples else None,
        2 * right / (samples + answered) if samples + answered else None,
    )
