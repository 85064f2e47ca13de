"""What the property tests of the kernels stand on: that a sweep holds different operators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from operator_strategies import Affine, affines, many, sweep


@pytest.mark.parametrize("examples", [1, 2, 5])
def test_a_sweep_holds_as_many_models_of_different_operators_as_asked_for(examples: int) -> None:
    drawn: list[list[tuple[int, Affine]]] = []

    @sweep(examples)
    @given(many(st.tuples(st.integers(1, 1000), affines())))
    def draw(cases: list[tuple[int, Affine]]) -> None:
        drawn.append(cases)

    draw()
    # The simplest of all, which Hypothesis begins with, comes on top.
    different = [cases for cases in drawn if len(set(cases)) > len(cases) // 2]
    assert len(different) >= examples
    assert all(len(cases) == 30 for cases in drawn)


def test_a_sweep_is_the_same_each_time() -> None:
    drawn: list[list[int]] = []

    @sweep(3)
    @given(many(st.integers(1, 1000)))
    def draw(cases: list[int]) -> None:
        drawn.append(cases)

    draw()
    first = drawn.copy()
    drawn.clear()
    draw()
    assert drawn == first
