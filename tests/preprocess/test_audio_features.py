"""Sound features: near an independent computation in double precision, and streamed exactly."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from feature_case import TABLES, clip, raw_samples, sound_extremes, spec_of
from numpy.typing import NDArray

from tinyml_tool.api.features import Features
from tinyml_tool.errors import ConfigError, InputError
from tinyml_tool.preprocess.audio_spec import AudioSpec
from tinyml_tool.preprocess.spec import parse_features

CLIPS = ("yes", "no", "noise", "silence")
AUDIO = [name for name, table in TABLES.items() if "audio" in str(table.get("kind", "audio"))]


def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2595 * np.log10(1 + hertz / 700)


def expected(spec: AudioSpec, samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Rows of features in double precision, by SciPy; (frames, values)."""
    size = int(spec.window_ms * spec.sample_rate / 1000)
    stride = int(spec.stride_ms * spec.sample_rate / 1000)
    frames = np.lib.stride_tricks.sliding_window_view(samples / 32768, size)[::stride]
    name = {"rectangular": "boxcar"}.get(spec.window, spec.window)
    weighted = frames * scipy.signal.get_window(name, size, fftbins=True)
    spectrum = np.abs(np.fft.rfft(weighted, spec.transform_size))
    if spec.spectrum == "power":
        spectrum = spectrum**2
    if spec.output != "spectrogram":
        lines = mel(np.arange(spectrum.shape[1]) * spec.sample_rate / spec.transform_size)
        edges = np.linspace(*mel(np.array([spec.low_hz, spec.high_hz])), spec.bands + 2)
        left, centre, right = edges[:-2], edges[1:-1], edges[2:]
        up = (lines[:, None] - left) / (centre - left)
        down = (right - lines[:, None]) / (right - centre)
        spectrum = spectrum @ np.maximum(0, np.minimum(up, down))
    values = spectrum
    if spec.log == "natural":
        values = np.log(spectrum + spec.log_offset)
    elif spec.log == "decibel":
        values = 10 * np.log10(spectrum + spec.log_offset)
    if spec.output == "mfcc":
        values = scipy.fft.dct(values, norm="ortho")[:, : spec.coefficients]
        if spec.dct == "uniform":
            values[:, 0] *= np.sqrt(2)
    return (values - spec.mean) / spec.std


@pytest.mark.parametrize("name", ["kws", "mel", "decibel", "spectrogram", "ortho"])
@pytest.mark.parametrize("sample", CLIPS)
def test_features_agree_with_double_precision(name: str, sample: str) -> None:
    spec = parse_features({**TABLES[name], "frames": 1, "every": 1}, name)
    assert isinstance(spec, AudioSpec)
    rows = Features(spec).extract(clip(sample))[:, 0]
    wanted = expected(spec, clip(sample))
    assert rows.shape == wanted.shape
    # Bands with almost nothing in them lose digits against the loud ones in a float transform.
    assert np.abs(rows - wanted).max() < 2e-3 * max(1.0, np.abs(wanted).max())
    assert np.abs(rows - wanted).mean() < 2e-5 * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize("size", [64, 128, 256, 512, 1024, 2048, 4096])
def test_spectra_agree_with_numpy_at_every_size(size: int) -> None:
    table = {"kind": "audio", "sample_rate": 48_000, "output": "spectrogram", "frames": 1}
    table |= {"window_ms": size / 48, "log": "none", "window": "rectangular", "gain": 1.0}
    spec = parse_features(table, "x")
    samples = np.random.default_rng(size).integers(-32768, 32768, spec.window_samples)  # type: ignore[union-attr]
    found = Features(spec).extract(samples.astype(np.int16))[0, 0]
    wanted = np.abs(np.fft.rfft(samples, spec.transform_size)) ** 2  # type: ignore[union-attr]
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-6 * wanted.max())


@pytest.mark.parametrize("name", AUDIO)
@pytest.mark.parametrize("seed", range(3))
def test_streaming_in_any_pieces_gives_what_one_piece_gives(name: str, seed: int) -> None:
    samples = raw_samples(name, amount=0.25)
    extractor = Features(spec_of(name))
    whole = extractor.extract(samples)
    chance = np.random.default_rng(seed)
    windows, position = [], 0
    while position < len(samples):
        piece = samples[position : position + int(chance.choice([1, 7, 160, 5000]))]
        taken = extractor.push(piece)
        assert 0 < taken <= len(piece)
        assert taken == len(piece) or extractor.ready()
        position += taken
        if extractor.ready():
            windows.append(extractor.features)
    np.testing.assert_array_equal(np.array(windows), whole)


@pytest.mark.parametrize("name", AUDIO)
def test_extremes_give_finite_features(name: str) -> None:
    assert np.isfinite(Features(spec_of(name)).extract(sound_extremes(3, 2))).all()


def test_silence_gives_the_logarithm_of_the_offset() -> None:
    spec = parse_features({"preset": "kws", "output": "mel", "frames": 1}, "x")
    row = Features(spec).extract(np.zeros(480, np.int16))
    np.testing.assert_allclose(row, np.log(1e-6), rtol=1e-6)


def test_two_streams_of_one_spec_do_not_disturb_each_other() -> None:
    one, other = Features(spec_of("kws")), Features(spec_of("kws"))
    for part in np.split(clip("yes"), 20):
        one.push(part)
        other.push(part[::-1].copy())
    assert one.ready() and other.ready()
    np.testing.assert_array_equal(one.features, one.extract(clip("yes"))[0])
    assert not np.array_equal(one.features, other.features)


def test_restarting_forgets_the_samples() -> None:
    extractor = Features(spec_of("kws"))
    extractor.push(clip("no"))
    extractor.restart()
    assert not extractor.ready()
    extractor.push(clip("yes"))
    np.testing.assert_array_equal(extractor.features, extractor.extract(clip("yes"))[0])


def test_the_next_input_comes_every_so_many_frames() -> None:
    spec = parse_features({"preset": "kws", "frames": 5, "every": 3}, "x")
    dense = parse_features({"preset": "kws", "frames": 5, "every": 1}, "x")
    samples = clip("yes")
    found, all_windows = Features(spec).extract(samples), Features(dense).extract(samples)
    np.testing.assert_array_equal(found, all_windows[::3])
    assert len(found) == spec.windows_in(len(samples))


def test_frames_that_do_not_touch_skip_samples() -> None:
    table = {"kind": "audio", "window_ms": 8.0, "stride_ms": 20.0, "frames": 2, "bands": 8}
    spec = parse_features(table, "x")
    samples = clip("yes")
    frames = [samples[i : i + 128] for i in range(0, len(samples) - 127, 320)]
    single = Features(parse_features({**table, "frames": 1}, "x"))
    rows = np.array([single.extract(frame)[0, 0] for frame in frames])
    windows = Features(spec).extract(samples)
    np.testing.assert_array_equal(windows[:, 1], rows[1:])


def test_one_sample_less_than_a_window_gives_nothing() -> None:
    extractor = Features(spec_of("kws"))
    needed = 48 * 320 + 480
    assert len(extractor.extract(np.zeros(needed, np.int16))) == 1
    assert len(extractor.extract(np.zeros(needed - 1, np.int16))) == 0
    assert len(extractor.extract(np.zeros(0, np.int16))) == 0


def test_many_samples_give_a_window_each() -> None:
    extractor = Features(spec_of("kws"))
    batch = np.stack([clip("yes"), clip("no")])
    features = extractor(batch)
    assert features.shape == (2, 49, 10)
    np.testing.assert_array_equal(features[1], extractor.extract(clip("no"))[0])
    with pytest.raises(InputError, match="sample 0: 100 raw values are too few"):
        extractor(batch[:, :100])


def test_samples_of_another_type_are_refused() -> None:
    with pytest.raises(InputError, match="float64, the features are made of int16"):
        Features(spec_of("kws")).extract(np.zeros(16_000))


def test_bands_narrower_than_the_lines_are_refused() -> None:
    spec = parse_features({"kind": "audio", "bands": 200}, "x")
    with pytest.raises(ConfigError, match="has no line of the spectrum"):
        Features(spec)
