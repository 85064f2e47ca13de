"""Mean and deviation of training samples as the last step of the features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from feature_case import spec_of

import tinyml_tool as tt
from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.spec import FeatureSpec, parse_features
from tinyml_tool.preprocess.standardize import standardized, without_scaling

MOTION = {"kind": "series", "channels": 2, "rate": 10, "window": 8, "stride": 8}
SUMMARY = {**MOTION, "summary": ["mean", "std", "peak_to_peak"]}


def motion(count: int = 50) -> Any:
    """Two channels of different size and place."""
    noise = np.random.default_rng(0).normal(0, 1, (count, 8, 2))
    return (noise * (3, 0.01) + (100, -5)).astype(np.float32)


def learned(spec: FeatureSpec, samples: Any) -> tuple[FeatureSpec, Any]:
    """The spec with figures of `samples`, and what it makes of them."""
    plain = tt.Features(without_scaling(spec))(samples)
    chosen = standardized(spec, plain)
    return chosen, tt.Features(chosen)(samples)


@pytest.mark.parametrize("table", [MOTION, SUMMARY])
def test_each_channel_or_number_gets_mean_0_and_deviation_1(table: dict[str, Any]) -> None:
    spec, values = learned(parse_features(table, "test"), motion())
    flat = values.reshape(50, -1) if table is SUMMARY else values.reshape(-1, 2)
    # The spec stores float32 figures, and the C computes in float32.
    assert flat.mean(axis=0) == pytest.approx(0, abs=1e-3)
    assert flat.std(axis=0) == pytest.approx(1, abs=1e-3)
    assert parse_features(spec.model_dump(mode="json"), "test") == spec


def test_pictures_get_one_figure_a_channel() -> None:
    table = {"kind": "image", "source_width": 6, "source_height": 4, "width": 3, "height": 2}
    spec = parse_features({**table, "format": "rgb888", "colour": "rgb"}, "test")
    pictures = np.random.default_rng(0).integers(0, 200, (60, 4 * 6 * 3)).astype(np.uint8)
    chosen, values = learned(spec, pictures)
    assert len(chosen.model_dump()["mean"]) == 3
    # The spec stores float32 figures, and the C computes in float32.
    assert values.mean(axis=(0, 1, 2)) == pytest.approx(0, abs=1e-3)
    assert values.std(axis=(0, 1, 2)) == pytest.approx(1, abs=1e-3)


def test_sound_gets_one_figure_for_all() -> None:
    sounds = np.random.default_rng(0).integers(-9000, 9000, (8, 4000)).astype(np.int16)
    _, values = learned(spec_of("mel"), sounds)
    # The spec stores float32 figures, and the C computes in float32.
    assert values.mean() == pytest.approx(0, abs=1e-3)
    assert values.std() == pytest.approx(1, abs=1e-3)


def test_a_constant_channel_is_only_shifted() -> None:
    samples = motion()
    samples[..., 1] = 7
    spec, values = learned(parse_features(MOTION, "test"), samples)
    assert spec.model_dump()["std"][1] == 1.0
    assert (values[..., 1] == 0).all()


def test_the_front_end_in_whole_numbers_has_no_such_step() -> None:
    with pytest.raises(InputError, match="no mean and deviation") as error:
        without_scaling(spec_of("micro_speech"))
    assert "--scaling" in str(error.value.hint)
