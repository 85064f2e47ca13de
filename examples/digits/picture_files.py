"""The handwritten digits as files: what tinyml trains on, and what a camera would send."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dataset import Samples, load_samples
from numpy.typing import NDArray
from raw_samples import RawSamples

FEW = 300
"""Pictures of each part for a small run."""


def write_pictures(file: Path, *, small: bool) -> None:
    """Write all pictures as a camera gives them: 8 bits a pixel, 255 is full ink."""
    training, test = load_samples()
    few = FEW if small else None
    np.savez(
        file,
        x_train=as_bytes(training)[:few],
        y_train=training.labels[:few],
        x_test=as_bytes(test)[:few],
        y_test=test.labels[:few],
    )


def write_raw_pictures(file: Path, *, small: bool) -> RawSamples:
    """Write the test pictures one after the other, as a camera sends them."""
    _, test = load_samples()
    few = FEW if small else None
    file.write_bytes(as_bytes(test)[:few].tobytes())
    return RawSamples((file,), tuple(test.labels[:few].tolist()))


def as_bytes(samples: Samples) -> NDArray[np.uint8]:
    """Pictures of shape (n, 8, 8, 1), values 0 to 255."""
    return np.rint(samples.images * 255).astype(np.uint8)
