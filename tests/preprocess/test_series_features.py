"""Features of series: near SciPy and NumPy in double precision, streamed exactly."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.signal
from feature_case import STATISTICS, TABLES, raw_samples, spec_of
from numpy.typing import NDArray

from tinyml_tool.api.features import Features
from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.filter_design import design
from tinyml_tool.preprocess.series_spec import Filter
from tinyml_tool.preprocess.spec import parse_features

SERIES = [name for name, table in TABLES.items() if table.get("kind") == "series"]


def features(samples: NDArray[Any], **table: Any) -> NDArray[np.float32]:
    """Windows of one hundred samples a second."""
    channels = samples.shape[1]
    spec = {"kind": "series", "rate": 100, "channels": channels, "window": 32, "stride": 32}
    return Features(parse_features({**spec, **table}, "x")).extract(samples)


def noise(rows: int, channels: int = 3, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((rows, channels)).astype(np.float32)


def windows(values: NDArray[Any], size: int, stride: int) -> NDArray[Any]:
    """(windows, size, channels)"""
    starts = range(0, len(values) - size + 1, stride)
    return np.stack([values[start : start + size] for start in starts])


def test_windows_overlap_by_the_stride() -> None:
    samples = noise(200)
    found = features(samples, window=50, stride=20)
    np.testing.assert_array_equal(found, windows(samples, 50, 20))


def test_windows_may_lie_apart() -> None:
    samples = noise(200)
    found = features(samples, window=20, stride=70)
    np.testing.assert_array_equal(found, windows(samples, 20, 70))


@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_butterworth_filters_are_scipys(kind: str, order: int) -> None:
    samples = noise(1000)
    found = features(
        samples, window=1000, stride=1000, filters=[{"kind": kind, "hz": 12.0, "order": order}]
    )[0]
    sections = scipy.signal.butter(order, 12, kind, fs=100, output="sos")
    wanted = scipy.signal.sosfilt(sections, samples.astype(np.float64), axis=0)
    assert np.abs(found - wanted).max() < 2e-5


@pytest.mark.parametrize(
    ("kind", "reference"),
    [("notch", scipy.signal.iirnotch), ("bandpass", scipy.signal.iirpeak)],
)
def test_notch_and_bandpass_are_scipys(kind: Any, reference: Any) -> None:
    (section,) = design(Filter(kind=kind, hz=30.0, q=4.0), 100.0)
    b, a = reference(30.0, 4.0, fs=100)
    np.testing.assert_allclose((section.b0, section.b1, section.b2), b, atol=1e-12)
    np.testing.assert_allclose((1, section.a1, section.a2), a, atol=1e-12)


def test_filters_follow_one_another() -> None:
    samples = noise(400)
    filters = [{"kind": "highpass", "hz": 2.0}, {"kind": "lowpass", "hz": 20.0, "order": 4}]
    found = features(samples, window=400, stride=400, filters=filters)[0]
    wanted = samples.astype(np.float64)
    for order, kind, hz in ((2, "highpass", 2.0), (4, "lowpass", 20.0)):
        sections = scipy.signal.butter(order, hz, kind, fs=100, output="sos")
        wanted = scipy.signal.sosfilt(sections, wanted, axis=0)
    assert np.abs(found - wanted).max() < 2e-5


@pytest.mark.parametrize("rate", [10, 33, 64, 99, 100, 250])
def test_resampling_is_linear_interpolation(rate: int) -> None:
    samples = noise(300)
    count = (len(samples) - 1) * rate // 100 + 1
    found = features(samples, window=16, stride=16, resample=rate)
    places = np.arange(count) * 100 / rate
    columns = [np.interp(places, np.arange(len(samples)), column) for column in samples.T]
    wanted = windows(np.stack(columns, 1), 16, 16)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-5


def test_differences_stand_behind_the_channels() -> None:
    samples = noise(64)
    found = features(samples, delta=True)
    steps = np.diff(samples, axis=0, prepend=samples[:1])
    np.testing.assert_array_equal(found, windows(np.concatenate([samples, steps], 1), 32, 32))


def test_each_channel_has_its_own_mean_and_deviation() -> None:
    samples = noise(32)
    found = features(samples, mean=[1.0, -2.0, 0.5], std=[2.0, 4.0, 0.1])[0]
    wanted = (samples - np.array([1.0, -2.0, 0.5])) / [2.0, 4.0, 0.1]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def expected_summary(x: NDArray[np.float64], edges: list[float]) -> list[float]:
    """All statistics of one channel of a window at 100 Hz, in double precision."""
    size = max(8, 1 << (len(x) - 1).bit_length())
    taper = scipy.signal.get_window("hann", len(x), fftbins=True)
    power = 2 * np.abs(np.fft.rfft((x - x.mean()) * taper, size)) ** 2 / size / (taper**2).sum()
    power[-1] /= 2
    lines = np.arange(size // 2 + 1) * 100 / size
    bands = [
        power[(lines >= low) & ((lines < high) | (high == 50)) & (lines > 0)].sum()
        for low, high in pairwise(edges)
    ]
    peaks, _ = scipy.signal.find_peaks(x, height=x.mean())
    peak = 1 + int(power[1:].argmax())
    return [
        *(x.mean(), x.std(), np.sqrt((x**2).mean()), x.min(), x.max(), np.ptp(x)),
        *(np.abs(x).mean(), np.count_nonzero(np.diff(np.signbit(x))), len(peaks)),
        *(*bands, lines[peak], power[peak]),
    ]


@pytest.mark.parametrize("window", [20, 32, 50, 128])
def test_summaries_agree_with_double_precision(window: int) -> None:
    samples, edges = noise(300, seed=window) * 3 + 0.25, [0.0, 10.0, 25.0, 50.0]
    found = features(
        samples, window=window, stride=window, summary=list(STATISTICS), bands_hz=edges
    )
    for rows, result in zip(windows(samples, window, window), found, strict=True):
        wanted = [expected_summary(column.astype(np.float64), edges) for column in rows.T]
        np.testing.assert_allclose(result, wanted, rtol=2e-4, atol=1e-5)


def test_band_powers_add_up_to_the_variance() -> None:
    samples = noise(64)
    table = {"summary": ["std", "band_power"], "bands_hz": [0.0, 20.0, 50.0]}
    found = features(samples, window=64, taper="rectangular", **table)[0]
    np.testing.assert_allclose(found[:, 1:].sum(1), found[:, 0] ** 2, rtol=1e-4)


def test_a_summary_of_overlapping_windows_sees_them_in_order() -> None:
    time = np.arange(400) / 100
    samples = np.sin(2 * np.pi * 12.5 * time).astype(np.float32)[:, None]
    table = {"summary": ["peak_hz", "zero_crossings"], "stride": 5}
    found = features(samples, **table)
    assert (found[:, 0, 0] == 12.5).all()
    wanted = [np.count_nonzero(np.diff(w[:, 0] < 0)) for w in windows(samples, 32, 5)]
    np.testing.assert_array_equal(found[:, 0, 1], wanted)


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("seed", range(2))
def test_streaming_in_any_pieces_gives_what_one_piece_gives(name: str, seed: int) -> None:
    samples = raw_samples(name)
    extractor = Features(spec_of(name))
    whole = extractor.extract(samples)
    chance = np.random.default_rng(seed)
    found, position = [], 0
    while position < len(samples):
        position += extractor.push(samples[position : position + int(chance.integers(1, 99))])
        if extractor.ready():
            found.append(extractor.features)
    np.testing.assert_array_equal(np.array(found), whole)
    assert len(whole) == spec_of(name).windows_in(len(samples)) > 10


def test_a_band_without_a_line_is_refused() -> None:
    with pytest.raises(ConfigError, match="the band from 1 Hz has no line"):
        features(noise(64), summary=["band_power"], bands_hz=[1.0, 2.0, 50.0])
