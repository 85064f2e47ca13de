from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_case import series

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import TEST, TRAIN, VALIDATION, make_dataset, require_classes
from tinyml_tool.train.splits import SplitShares, split_dataset, split_sha256


def test_a_division_is_repeatable_and_depends_on_its_seed() -> None:
    data = series(200)
    first = split_sha256(split_dataset(data, SplitShares()))
    assert split_sha256(split_dataset(data, SplitShares())) == first
    assert split_sha256(split_dataset(data, SplitShares(seed=1))) != first


def test_each_class_is_divided_by_itself() -> None:
    data = series(200, classes=4)
    parts = split_dataset(data, SplitShares(validation=0.1, test=0.2))
    for label in range(4):
        counts = np.bincount(parts[data.labels == label], minlength=3)
        assert counts.tolist() == [35, 5, 10]


@settings(max_examples=60, deadline=None)
@given(groups=st.integers(3, 12), seed=st.integers(0, 1000))
def test_a_group_is_never_divided(groups: int, seed: int) -> None:
    members = np.random.default_rng(seed).integers(0, groups, 120)
    members[: groups * 3] = np.repeat(np.arange(groups), 3)
    data = replace(series(120), groups=members)
    parts = split_dataset(data, SplitShares(seed=seed))
    for group in range(groups):
        assert len(set(parts[members == group].tolist())) == 1
    assert {TRAIN, VALIDATION, TEST} == set(parts.tolist())


def test_a_test_part_of_the_data_stays_as_it_is() -> None:
    given_parts = np.array([0] * 40 + [2] * 20, np.int8)
    parts = split_dataset(replace(series(60), split=given_parts), SplitShares())
    assert ((parts == TEST) == (given_parts == TEST)).all()
    assert (parts == VALIDATION).any()


@pytest.mark.parametrize(("validation", "test"), [(0, 0.2), (0.2, 0), (0.5, 0.5), (-1, 0.5)])
def test_shares_must_leave_something_for_each_part(validation: float, test: float) -> None:
    with pytest.raises(InputError):
        split_dataset(series(), SplitShares(validation, test))


def test_too_few_groups_are_an_error() -> None:
    data = replace(series(60), groups=np.repeat([0, 1], 30))
    with pytest.raises(InputError, match="2 groups"):
        split_dataset(data, SplitShares())


def test_too_few_samples_are_an_error() -> None:
    with pytest.raises(InputError, match="samples are for"):
        split_dataset(series(3), SplitShares())


def test_a_classifier_needs_two_classes() -> None:
    with pytest.raises(InputError, match="all 4 samples are of class 'a'") as error:
        require_classes(make_dataset("d", "vector", np.ones((4, 2)), np.zeros(4), ("a", "b")))
    assert "autoencoder" in str(error.value.hint)
