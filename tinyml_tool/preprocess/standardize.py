"""Features whose last step gives training samples mean 0 and deviation 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.audio_spec import AudioSpec
from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.preprocess.micro_audio_spec import MicroAudioSpec
from tinyml_tool.preprocess.series_spec import SeriesSpec
from tinyml_tool.preprocess.spec import FeatureSpec, parse_features

_DIGITS = 6
"""Significant digits of a mean or deviation: a spec is read by people, too."""


def without_scaling(spec: FeatureSpec) -> FeatureSpec:
    """The spec with mean 0 and deviation 1.  Raises InputError where it has no such step."""
    match spec:
        case MicroAudioSpec():
            raise InputError(
                "features of kind 'micro_audio' have no mean and deviation to choose",
                hint="leave out --scaling, or take kind = 'audio'",
            )
        case AudioSpec():
            return spec.model_copy(update={"mean": 0.0, "std": 1.0})
        case _:
            return spec.model_copy(update={"mean": (0.0,), "std": (1.0,)})


def standardized(spec: FeatureSpec, values: NDArray[np.float32]) -> FeatureSpec:
    """The spec with mean and deviation of `values`: training features made `without_scaling`.

    `values` are (count, *spec.shape).  Sound gets one mean for all values, pictures and windows one
    for each channel, summaries one for each number; what is constant is only shifted.
    """
    if isinstance(spec, AudioSpec):
        (mean,), (std,) = _figures(values.reshape(-1, 1))
        return _checked(spec, {"mean": mean, "std": std})
    columns = spec.shape[-1]
    if isinstance(spec, SeriesSpec) and spec.summary:
        columns = spec.columns * spec.statistics
    assert isinstance(spec, (ImageSpec, SeriesSpec)), "the others have no such step"
    means, stds = _figures(values.reshape(-1, columns))
    return _checked(spec, {"mean": means, "std": stds})


def _figures(columns: NDArray[np.float32]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each column, computed in double precision."""
    real = columns.astype(np.float64)
    constant = real.min(axis=0) == real.max(axis=0)
    deviation = np.where(constant, 1.0, real.std(axis=0))
    return _rounded(real.mean(axis=0)), _rounded(deviation)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values)


def _checked(spec: FeatureSpec, changes: dict[str, Any]) -> FeatureSpec:
    return parse_features({**spec.model_dump(mode="json"), **changes}, "[features]")
