from __future__ import annotations

import numpy as np
import pytest

from tinyml_tool.errors import DeviceError, MismatchError
from tinyml_tool.verify.agreement import agreement, require_agreement

EXPECTED = [[np.array([[1, 2]], np.int8)], [np.array([[3, 4]], np.int8)]]


def test_equal_answers_agree() -> None:
    found = agreement(EXPECTED, [[array.reshape(-1) for array in one] for one in EXPECTED])
    assert found.exact
    assert (found.samples, found.values) == (2, 4)
    require_agreement("model", found)


def test_a_different_value_is_counted_and_placed() -> None:
    found = agreement(EXPECTED, [EXPECTED[0], [np.array([[3, 5]], np.int8)]])
    assert (found.samples_different, found.values_different, found.first_different) == (1, 1, 1)
    with pytest.raises(MismatchError, match=r"1 of 2 samples give other outputs .* sample 1"):
        require_agreement("model", found)


def test_floats_are_compared_as_bits() -> None:
    zero, minus = ([[np.array([value], np.float32)]] for value in (0.0, -0.0))
    assert not agreement(zero, minus).exact


def test_nothing_compared_is_no_agreement() -> None:
    assert not agreement([], []).exact


def test_missing_answers_are_an_error() -> None:
    with pytest.raises(DeviceError, match="2 samples gave 1 answers"):
        agreement(EXPECTED, EXPECTED[:1])


def test_another_type_is_a_mismatch() -> None:
    with pytest.raises(MismatchError, match="expected 2 values of int8"):
        agreement(EXPECTED[:1], [[np.array([1, 2], np.int16)]])
