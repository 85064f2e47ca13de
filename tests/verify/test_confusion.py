from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_tool.verify.confusion import confusion

LABELS = np.array([0, 0, 0, 1, 1, 2])
ANSWERS = np.array([0, 0, 1, 1, 1, 0])


def test_rows_are_true_classes_and_columns_answers() -> None:
    counts = confusion(LABELS, ANSWERS, "abc")
    assert counts.counts == ((2, 1, 0), (0, 2, 0), (1, 0, 0))
    assert counts.accuracy == pytest.approx(4 / 6)


def test_the_figures_of_each_class_are_their_definitions() -> None:
    first, second, third = confusion(LABELS, ANSWERS, "abc").per_class
    assert (first.precision, first.recall, first.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (second.precision, second.recall, second.f1) == pytest.approx((2 / 3, 1, 0.8))
    assert (third.precision, third.recall, third.f1) == (None, 0, 0)


def test_a_class_without_samples_has_no_recall() -> None:
    assert confusion(np.array([0]), np.array([0]), "ab").per_class[1].recall is None


@settings(max_examples=50, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_the_figures_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    labels, answers = (np.array(column) for column in zip(*pairs, strict=True))
    counts = confusion(labels, answers, "abcd")
    expected = metrics.precision_recall_fscore_support(
        labels, answers, labels=range(4), zero_division=0
    )
    assert np.array_equal(counts.counts, metrics.confusion_matrix(labels, answers, labels=range(4)))
    for index, figures in enumerate(counts.per_class):
        found = [figures.precision or 0, figures.recall or 0, figures.f1 or 0]
        assert found == pytest.approx([expected[k][index] for k in range(3)])
