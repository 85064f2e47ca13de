"""The micro front end gives the same bits as the C++ one of TensorFlow Lite Micro."""

import ctypes
import ctypes.util
import math
import platform

import numpy as np
import pytest
from feature_case import clip, sound_extremes
from numpy.typing import NDArray

from tinyml_tool.api.features import Features
from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.micro_audio_tables import logarithm_table
from tinyml_tool.preprocess.planning import plan_features
from tinyml_tool.preprocess.single_log1p import log1p
from tinyml_tool.preprocess.spec import parse_features

pymicro_features = pytest.importorskip("pymicro_features")

# The package steps by 10 ms; else it is the preset.
SPEC = parse_features({"preset": "micro_speech", "stride_ms": 10.0, "frames": 1}, "x")


def reference(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Rows of the package pymicro-features."""
    frontend = pymicro_features.MicroFrontend()
    data, rows = samples.tobytes(), []
    while data:
        output = frontend.process_samples(data)
        if output.features:
            rows.append(output.features)
        data = data[2 * output.samples_read :]
    return np.array(rows, np.float32)


@pytest.mark.parametrize("name", ["yes", "no", "noise", "silence"])
def test_clips_give_the_same_bits(name: str) -> None:
    np.testing.assert_array_equal(Features(SPEC).extract(clip(name))[:, 0], reference(clip(name)))


@pytest.mark.parametrize("seed", range(4))
def test_extremes_and_noise_give_the_same_bits(seed: int) -> None:
    samples = sound_extremes(seed, 16)
    rows = Features(SPEC).extract(samples)[:, 0]
    assert rows.size > 60_000
    np.testing.assert_array_equal(rows, reference(samples))


def test_loud_noise_gives_the_same_bits() -> None:
    chance = np.random.default_rng(9)
    samples = chance.integers(-32768, 32768, 400_000).astype(np.int16)
    np.testing.assert_array_equal(Features(SPEC).extract(samples)[:, 0], reference(samples))


def test_the_logarithm_of_tables_is_that_of_small_c_libraries() -> None:
    values = np.concatenate(
        [np.random.default_rng(0).uniform(0, 40, 5000), np.arange(1, 513) * 31.25 / 700]
    ).astype(np.float32)
    exact = np.array([math.log1p(float(v)) for v in values])
    found = np.array([log1p(v) for v in values])
    assert np.abs(found - exact).max() <= 1e-6 * np.abs(exact).max()
    if platform.libc_ver()[0] != "glibc" or platform.libc_ver()[1] >= "2.41":
        pytest.skip("this C library rounds in another way")
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.log1pf.restype, library.log1pf.argtypes = ctypes.c_float, [ctypes.c_float]
    assert [float(v) for v in found] == [library.log1pf(float(v)) for v in values]


def test_the_table_of_logarithms_ends_where_the_next_octave_starts() -> None:
    table = logarithm_table()
    assert table[0] == table[128] == 0
    assert table.max() == 5641


@pytest.mark.parametrize(
    "change",
    [
        {"window_ms": 240.0, "pcan": {"gain_bits": 16}},
        {"noise_reduction": {"smoothing_bits": 2}},
    ],
)
def test_parameters_out_of_the_range_of_its_numbers_are_refused(change: dict[str, object]) -> None:
    spec = parse_features({"preset": "micro_speech", **change}, "x")
    with pytest.raises(ConfigError, match="so few bits"):
        plan_features(spec)


def test_without_logarithm_amplitudes_are_cut_to_16_bits() -> None:
    table = {"preset": "micro_speech", "frames": 1, "log": False, "output_scale": 1.0}
    rows = Features(parse_features(table, "x")).extract(sound_extremes(0, 4))
    assert rows.max() <= 65535
    assert np.array_equal(rows, np.rint(rows))
