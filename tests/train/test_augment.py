"""The parts of the engine that need no TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_tool.train.engine.augment import augment, mix
from tinyml_tool.train.engine.job import Augmentation
from tinyml_tool.train.engine.schedule import learning_rate


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_nothing_changes_unless_asked() -> None:
    x = np.arange(24.0).reshape(2, 4, 3)
    assert augment(x, Augmentation(), rng()) is x


def test_a_series_moves_along_time_and_repeats_its_edge() -> None:
    x = np.tile(np.arange(10.0)[None, :, None], (40, 1, 2))
    moved = augment(x, Augmentation(shift=2), rng())
    by = moved[:, 5, 0] - 5
    assert set(by.tolist()) == {-2, -1, 0, 1, 2}
    assert (moved[:, 5, 0] == moved[:, 5, 1]).all()
    assert moved.min() == 0
    assert moved.max() == 9


def test_a_picture_moves_along_both_axes() -> None:
    x = np.zeros((60, 7, 7, 1))
    x[:, 3, 3] = 1
    moved = augment(x, Augmentation(shift=1), rng())
    places = {tuple(np.argwhere(picture[..., 0] == 1)[0]) for picture in moved}
    assert places == {(row, column) for row in (2, 3, 4) for column in (2, 3, 4)}


def test_pictures_are_mirrored_every_other_time() -> None:
    x = np.tile(np.arange(4.0)[None, None, :, None], (100, 2, 1, 1))
    flipped = (augment(x, Augmentation(flip=True), rng())[:, 0, 0, 0] == 3).sum()
    assert 30 < flipped < 70


def test_noise_has_the_deviation_asked_for() -> None:
    noisy = augment(np.zeros((100, 100), np.float32), Augmentation(noise=0.5), rng())
    assert noisy.std() == pytest.approx(0.5, rel=0.02)


def test_mixup_blends_samples_and_targets_alike() -> None:
    y = np.eye(4, dtype=np.float32)
    x, mixed = mix(y * 7, y, 0.4, rng())
    assert np.allclose(x, mixed * 7)
    assert np.allclose(mixed.sum(axis=1), 1)
    assert not np.array_equal(mixed, y)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [("constant", [1, 1, 1]), ("cosine", [1, 0.75, 0.25]), ("step", [1, 0.1, 0.01])],
)
def test_the_learning_rate_follows_its_schedule(schedule: str, rates: list[float]) -> None:
    found = [learning_rate(schedule, 1.0, epoch, 3) for epoch in range(3)]
    assert found == pytest.approx(rates)
