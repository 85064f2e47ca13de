from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_case import series

from tinyml_tool.errors import InputError
from tinyml_tool.train.scaling import Scaling, fit_scaling, read_scaling, usual_scaling

BYTES = np.array([[[[0, 51, 255]]]], np.uint8)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("unit", [0, 0.2, 1]), ("symmetric", [-1, -0.6, 1]), ("none", [0, 51, 255])],
)
def test_bytes_are_scaled_as_declared(kind: str, expected: list[float]) -> None:
    scaled = fit_scaling(kind, BYTES).apply(BYTES)  # type: ignore[arg-type]
    assert scaled.dtype == np.float32
    assert np.allclose(scaled.reshape(-1), expected)


def test_standardized_channels_have_mean_0_and_deviation_1() -> None:
    raw = series(50).samples
    scaled = fit_scaling("standardize", raw).apply(raw)
    assert np.allclose(scaled.mean(axis=(0, 1)), 0, atol=1e-5)
    assert np.allclose(scaled.std(axis=(0, 1)), 1, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 5.0, 1e-20, 1e30])
def test_a_constant_channel_becomes_0(value: float) -> None:
    raw = np.full((10, 3, 1), value)
    assert not fit_scaling("standardize", raw).apply(raw).any()


def test_what_is_written_is_read_again() -> None:
    scaling = fit_scaling("standardize", series(20).samples)
    assert read_scaling(scaling.to_json()) == scaling


def test_the_usual_scaling_depends_on_the_data() -> None:
    assert usual_scaling(series()) == "standardize"


def test_an_unknown_scaling_is_an_error() -> None:
    with pytest.raises(InputError, match="unknown scaling 'max'"):
        fit_scaling("max", BYTES)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(
    offset=st.floats(-1000, 1000),
    divisor=st.floats(0.01, 1000),
    scale=st.floats(1e-4, 10),
    zero_point=st.integers(-128, 127),
    raw=st.floats(-1000, 1000),
)
def test_folded_into_the_quantization_it_gives_the_same_integers(
    offset: float, divisor: float, scale: float, zero_point: int, raw: float
) -> None:
    scaling = Scaling("standardize", (offset,), (divisor,))
    factor, shift = scaling.on_device(scale, zero_point)
    exact = (raw - offset) / divisor / scale + zero_point
    assert float(raw * factor[0] + shift[0]) == pytest.approx(exact, rel=1e-9, abs=1e-6)
