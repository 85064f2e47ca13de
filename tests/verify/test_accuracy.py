from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tinyml_tool.errors import DeviceError, InputError
from tinyml_tool.verify.accuracy import measure_accuracy, predicted_class


class Echo:
    """A model of three classes whose scores are its input."""

    def __init__(self, lost: int = 0) -> None:
        self.lost = lost

    def run_many(self, batch: Sequence[Sequence[Any]]) -> list[list[Any]]:
        return [[inputs[0]] for inputs in batch][: len(batch) - self.lost]


def scores(*values: int) -> list[Any]:
    return [np.array([values], np.int8)]


BATCH = [scores(9, 1, 1), scores(1, 9, 1), scores(1, 1, 9), scores(-5, -9, -7)]


def test_right_answers_are_counted() -> None:
    found = measure_accuracy(Echo(), BATCH, [0, 1, 0, 0])
    assert (found.samples, found.correct, found.share) == (4, 3, 0.75)
    assert found.predictions == (0, 1, 2, 0)


def test_of_equal_scores_the_first_is_the_answer() -> None:
    assert predicted_class(np.array([[3, 7, 7]], np.int8)) == 1


@pytest.mark.parametrize("labels", [[], [0], [0, 1, 2, 0, 1]])
def test_samples_and_labels_must_be_equally_many(labels: list[int]) -> None:
    with pytest.raises(InputError, match=f"4 samples and {len(labels)} labels"):
        measure_accuracy(Echo(), BATCH, labels)


def test_no_samples_have_no_accuracy() -> None:
    with pytest.raises(InputError, match="0 samples"):
        measure_accuracy(Echo(), [], [])


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_class_is_refused(label: int) -> None:
    with pytest.raises(InputError, match=f"label {label} is no class of a model of 3 classes"):
        measure_accuracy(Echo(), BATCH, [0, 1, 2, label])


def test_missing_answers_are_an_error() -> None:
    with pytest.raises(DeviceError, match="4 samples gave 3 answers"):
        measure_accuracy(Echo(lost=1), BATCH, [0, 1, 2, 0])
