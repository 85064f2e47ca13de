"""The feature spec: strict, versioned, and named by a hash that nothing but its meaning changes."""

import pytest
from feature_case import TABLES, spec_of

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.presets import PRESETS
from tinyml_tool.preprocess.spec import (
    canonical_json,
    features_from_json,
    features_hash,
    parse_features,
)
from tinyml_tool.preprocess.spec_toml import features_toml
from tinyml_tool.strict_toml import read_toml


def refusal(**table: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_features(table, "tinyml.toml: [features]")
    return caught.value


@pytest.mark.parametrize("name", TABLES)
def test_a_spec_survives_json_and_toml(name: str) -> None:
    spec = spec_of(name)
    assert features_from_json(canonical_json(spec), name) == spec
    table = read_toml(features_toml(spec), name)["features"]
    assert parse_features(table, name) == spec


def test_every_preset_is_a_spec() -> None:
    for name in PRESETS:
        parse_features({"preset": name}, name)


def test_a_preset_can_be_changed_in_part() -> None:
    spec = parse_features({"preset": "kws", "frames": 98}, "x")
    assert spec.shape == (98, 10)


def test_the_hash_names_the_meaning_not_the_writing() -> None:
    preset = parse_features({"preset": "kws"}, "x")
    written = parse_features({**PRESETS["kws"], "window_ms": 30, "version": 1}, "x")
    assert features_hash(preset) == features_hash(written)
    other = parse_features({"preset": "kws", "coefficients": 12}, "x")
    assert features_hash(preset) != features_hash(other)


def test_hashes_of_the_presets_do_not_change_by_accident() -> None:
    found = {name: features_hash(parse_features({"preset": name}, name))[:16] for name in PRESETS}
    assert found == {"kws": "d77b9c4da9ce0854", "micro_speech": "e431a0f28e5ad7f5"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "audoi"}, "unknown kind 'audoi', did you mean 'audio'?"),
        ({"preset": "kwss"}, "unknown preset 'kwss', did you mean 'kws'?"),
        ({"preset": "kws", "strid_ms": 3.0}, "unknown key 'strid_ms', did you mean 'stride_ms'?"),
        ({}, "'kind' is missing"),
        ({"kind": ["audio"]}, "unknown kind"),
        ({"kind": "audio", "version": 2}, "version = 2 is not known here"),
        ({"kind": "audio", "version": True}, "version = True is not known here"),
        ({"kind": "audio", "high_hz": 9000.0}, "above half the sample rate, 8000"),
        ({"kind": "audio", "low_hz": 5000.0}, "high_hz 4000 is not above low_hz 5000"),
        ({"kind": "audio", "sample_rate": 96_000}, "'sample_rate' = 96000"),
        ({"kind": "audio", "fft_size": 256}, "less than the 480 samples of a frame"),
        ({"kind": "audio", "fft_size": 500}, "'fft_size' = 500"),
        ({"kind": "audio", "window_ms": 0.1}, "a frame has 1 samples"),
        ({"kind": "audio", "gain": float("nan")}, "'gain' = nan"),
        ({"kind": "audio", "output": "mfcc", "bands": 8}, "10 coefficients of only 8 bands"),
        ({"kind": "audio", "output": "mfcc", "log": "none"}, "mfcc needs a logarithm"),
        ({"kind": "micro_audio", "noise_reduction": {"bits": 1}}, "noise_reduction.bits"),
        ({"kind": "image"}, "'source_width' is missing (and 3 more)"),
        ({"kind": "series", "rate": 100, "window": 10}, "'stride' is missing"),
    ],
)
def test_a_wrong_spec_is_refused_with_the_cause(table: dict[str, object], message: str) -> None:
    assert message in refusal(**table).message


IMAGE = {"kind": "image", "source_width": 8, "source_height": 8, "width": 4, "height": 4}
SERIES = {"kind": "series", "rate": 100, "window": 16, "stride": 16}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({**IMAGE, "crop": {"x": 5, "width": 4, "height": 4}}, "crop reaches outside the source"),
        ({**IMAGE, "crop": {"widht": 4}}, "crop.width"),
        ({**IMAGE, "colour": "rgb"}, "a grey source has no colour"),
        ({**IMAGE, "std": [0.0]}, "std must be above 0"),
        ({**IMAGE, "mean": [1.0, 2.0]}, "mean has 2 values for 1 channels"),
        ({**IMAGE, "format": "yuyv", "source_width": 7}, "must be even"),
        ({**IMAGE, "format": "bayer_rggb", "source_height": 7}, "must be even"),
        ({**IMAGE, "rotate": 45}, "'rotate' = 45"),
        ({**SERIES, "filters": [{"kind": "lowpass", "hz": 50.0}]}, "not below half the rate"),
        ({**SERIES, "filters": [{"kind": "notch", "hz": 5.0, "order": 4}]}, "has order 2"),
        ({**SERIES, "summary": ["band_power"]}, "band_power and bands_hz"),
        ({**SERIES, "summary": ["mean", "mean"]}, "names a number twice"),
        ({**SERIES, "summary": ["meen"]}, "'summary.0' = 'meen'"),
        ({**SERIES, "mean": [0.0, 0.0]}, "mean has 2 values, but may have [1]"),
        ({**SERIES, "stride": 1, "resample": 250}, "the stride must be 3 or more"),
        (
            {**SERIES, "summary": ["band_power"], "bands_hz": [5.0, 1.0]},
            "bands_hz must ascend",
        ),
    ],
)
def test_a_wrong_picture_or_series_is_refused(table: dict[str, object], message: str) -> None:
    assert message in refusal(**table).message


def test_all_problems_are_listed_at_once() -> None:
    error = refusal(kind="audio", bands=0, framse=3, window="sinc")
    assert len(error.details) == 3
