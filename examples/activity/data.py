"""BasicMotions: six channels of a smartwatch, 10 times a second, while its wearer does one thing.

The files come with the package aeon.  Its authors: a student project of four people, each doing
four activities five times.  The archive's own halves are kept: 40 windows to train, 40 to test.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from package_files import Package, package_folder
from raw_samples import RawSamples

from tinyml_tool.train.dataset import TEST, Dataset
from tinyml_tool.train.datasets.read import read_dataset

AEON = Package("aeon", module="aeon", version="1.6.0", megabytes=7)


def read_motions(progress: Callable[[str], None]) -> Dataset:
    """All windows, (80, 100, 6), and which half of the archive each is of."""
    folder = package_folder(AEON, progress) / "datasets" / "data" / "BasicMotions"
    return read_dataset(folder / "BasicMotions_TRAIN.ts")


def write_raw_motions(file: Path, motions: Dataset) -> RawSamples:
    """Write the test windows one after the other, a column a channel, as the watch sends them."""
    chosen = motions.split == TEST
    rows = motions.samples[chosen].reshape(-1, motions.shape[1])
    np.savetxt(file, rows, fmt="%.9g", delimiter=",")
    return RawSamples((file,), tuple(motions.labels[chosen].tolist()))
