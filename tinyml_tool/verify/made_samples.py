"""Raw samples that stress a preprocessing: what sensors send at their limits, then noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.verify.raw_samples import sample_type


def samples_for(spec: FeatureSpec, windows: int) -> int:
    """The least samples that complete so many inputs of the model."""
    high = 1
    while spec.windows_in(high) < windows:
        high *= 2
    low = high // 2
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if spec.windows_in(middle) >= windows else (middle, high)
    return high


def made_samples(spec: FeatureSpec, count: int, seed: int) -> NDArray[Any]:
    """`count` samples: zeros, both ends of the range, a square, a sweep, faint and loud noise."""
    dtype, chance = sample_type(spec), np.random.default_rng(seed)
    low, high = (-4.0, 4.0) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    middle, half = (high + low) / 2, (high - low) / 2
    size = -(-count // 8)
    time = np.arange(size)
    parts = [
        np.zeros(size),
        np.full(size, high),
        np.full(size, low),
        np.where(time % 16 < 8, high, low),
        middle + half * np.sin(time**2 / max(1.0, size * 0.7)),
        middle + half * 1e-4 * chance.standard_normal(size),
        middle + half * 0.2 * chance.standard_normal(size),
        chance.uniform(low, high, size),
    ]
    values = np.clip(np.concatenate(parts)[:count], low, high)
    samples: NDArray[Any] = (values if dtype.kind == "f" else np.rint(values)).astype(dtype)
    return samples
