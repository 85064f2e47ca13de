from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_tool.errors import InputError
from tinyml_tool.verify.anomaly import (
    area_under_roc,
    judge,
    reconstruction_errors,
    threshold_between,
    threshold_for,
)


@settings(max_examples=100, deadline=None)
@given(
    samples=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40).filter(
        lambda pairs: len({positive for _, positive in pairs}) == 2
    )
)
def test_the_area_is_that_of_scikit_learn_ties_included(samples: list[tuple[int, bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, positive = (np.array(column) for column in zip(*samples, strict=True))
    found = area_under_roc(scores.astype(float), positive)
    assert found == pytest.approx(metrics.roc_auc_score(positive, scores))


def test_without_anomalies_there_is_no_area() -> None:
    assert area_under_roc(np.array([1.0, 2.0]), np.array([False, False])) is None


def test_the_error_is_the_mean_square_of_each_sample() -> None:
    errors = reconstruction_errors(np.array([[0.0, 0], [1, 1]]), np.array([[0.0, 2], [1, 1]]))
    assert errors.tolist() == [2, 0]


def test_the_threshold_lets_the_asked_share_of_normal_samples_pass() -> None:
    threshold = threshold_for(np.arange(100.0), 0.05)
    assert (np.arange(100.0) > threshold.value).sum() <= 5
    assert "of 100 normal validation samples exceed it" in threshold.reason


@pytest.mark.parametrize(("errors", "share"), [(np.array([]), 0.1), (np.ones(3), 1.0)])
def test_no_threshold_can_be_chosen_from_nothing(errors: np.ndarray, share: float) -> None:
    with pytest.raises(InputError):
        threshold_for(errors, share)


def test_the_figures_count_what_lies_above_the_threshold() -> None:
    errors, anomalous = np.array([1.0, 2, 3, 4]), np.array([False, False, True, True])
    figures = judge(errors, anomalous, threshold_for(np.array([2.5]), 0.0))
    assert (figures.detected, figures.false_alarms, figures.auc) == (2, 0, 1.0)


def test_the_best_parting_threshold_lies_between() -> None:
    threshold = threshold_between(np.array([1.0, 2, 3, 4]), np.array([False, False, True, True]))
    assert threshold.value == 2
    assert "others will do worse" in threshold.reason
