"""The handwritten digits that come with scikit-learn, cut into a training and a test part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SHAPE = (8, 8, 1)
"""Height, width, channels of a picture."""

TEST_SAMPLES = 450


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures, float32 from 0 (paper) to 1 (ink), shape (n, 8, 8, 1), and the digits they show."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def load_samples() -> tuple[Samples, Samples]:
    """(training, test): the last 450 of 1,797 pictures, in the order of the file, are the test.

    The file is not shuffled, so the test pictures are less like those of the training than a random
    choice of them would be.
    """
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32).reshape(-1, *SHAPE)
    labels = digits.target.astype(np.int64)
    return (
        Samples(images[:-TEST_SAMPLES], labels[:-TEST_SAMPLES]),
        Samples(images[-TEST_SAMPLES:], labels[-TEST_SAMPLES:]),
    )


def fingerprint(samples: Samples) -> str:
    """SHA-256 of the pictures and labels: tells whether two machines have the same data."""
    digest = hashlib.sha256()
    digest.update((samples.images * 16).astype(np.uint8).tobytes())
    digest.update(samples.labels.astype(np.uint8).tobytes())
    return digest.hexdigest()


def quantize(images: NDArray[np.float32], scale: float, zero_point: int) -> NDArray[Any]:
    """Turn pictures into int8 model inputs: q = round(real / scale) + zero_point."""
    values = np.rint(images / scale) + zero_point
    return np.clip(values, -128, 127).astype(np.int8)
