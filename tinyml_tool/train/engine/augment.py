"""Variations of training samples, in numpy: repeatable, and the same for every kind of data."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml_tool.train.engine.job import Augmentation


def augment(x: Any, how: Augmentation, rng: np.random.Generator) -> Any:  # noqa: ANN401
    """A batch (count, *shape) varied: mirrored, shifted, with noise; `x` stays as it is."""
    if how.flip and x.ndim == 4:
        chosen = rng.random(len(x)) < 0.5
        x = np.where(chosen[:, None, None, None], x[:, :, ::-1], x)
    if how.shift and x.ndim > 2:
        axes = (1, 2) if x.ndim == 4 else (1,)
        for axis in axes:
            x = _shifted(x, axis, rng.integers(-how.shift, how.shift + 1, len(x)))
    if how.noise > 0:
        x = x + rng.normal(0, how.noise, x.shape).astype(np.float32)
    return x


def _shifted(x: Any, axis: int, by: Any) -> Any:  # noqa: ANN401
    """Each sample moved along `axis` by its own number of places; its edge is repeated."""
    length = x.shape[axis]
    places = np.clip(np.arange(length)[None, :] - by[:, None], 0, length - 1)
    shape = [len(x)] + [1] * (x.ndim - 1)
    shape[axis] = length
    return np.take_along_axis(x, places.reshape(shape), axis)


def mix(x: Any, y: Any, alpha: float, rng: np.random.Generator) -> tuple[Any, Any]:  # noqa: ANN401
    """Mixup: every sample and its target blended with another one's by the same share."""
    share = rng.beta(alpha, alpha, len(x)).astype(np.float32)
    other = rng.permutation(len(x))

    def blend(values: Any) -> Any:  # noqa: ANN401
        weight = share.reshape(-1, *[1] * (values.ndim - 1))
        return weight * values + (1 - weight) * values[other]

    return blend(x), blend(y)
