"""Batches of an epoch: shuffled and varied by numbers that depend on seed and epoch alone.

So a training that goes on after an interruption sees the same batches as one that never stopped.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from tinyml_tool.train.engine.arrays import Part
from tinyml_tool.train.engine.augment import augment, mix
from tinyml_tool.train.engine.job import Fit


class Batches(keras.utils.PyDataset):
    """The training part, epoch by epoch; set `epoch` before each."""

    def __init__(self, part: Part, fit: Fit, *, task: str, classes: int) -> None:
        super().__init__()
        self._part = part
        self._fit = fit
        self._task = task
        self._classes = classes
        self._weights = np.array(fit.class_weights) if fit.class_weights else None
        self.epoch = 0

    @property
    def epoch(self) -> int:
        """The epoch whose batches these are, from 0."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch = epoch
        rng = np.random.default_rng((self._fit.seed, epoch))
        self._order = rng.permutation(len(self._part))

    def __len__(self) -> int:
        return math.ceil(len(self._part) / self._fit.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        size = self._fit.batch_size
        chosen = self._order[index * size : (index + 1) * size]
        rng = np.random.default_rng((self._fit.seed, self._epoch, index))
        x = augment(self._part.x[chosen], self._fit.augmentation, rng)
        if self._task == "reconstruction":
            return x, self._part.x[chosen]
        labels = self._part.y[chosen]
        y = one_hot(labels, self._classes)
        if self._fit.augmentation.mixup > 0:
            x, y = mix(x, y, self._fit.augmentation.mixup, rng)
        if self._weights is None:
            return x, y
        return x, y, self._weights[labels].astype(np.float32)


def one_hot(labels: Any, classes: int) -> Any:  # noqa: ANN401 - arrays
    """Labels as float32 rows, 1 at the class."""
    return np.eye(classes, dtype=np.float32)[labels]


def targets(part: Part, task: str, classes: int) -> Any:  # noqa: ANN401
    """What the model should answer to a part's samples."""
    return part.x if task == "reconstruction" else one_hot(part.y, classes)
