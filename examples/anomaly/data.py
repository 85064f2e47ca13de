"""A pig's blood pressure, and a moment in which something is wrong: windows of a long series.

The series comes with the package aeon: number 135 of the UCR anomaly archive, InternalBleeding16.
Its first 1,200 values hold no anomaly and are for the training, as the archive has it; one anomaly
lies at 4,187 to 4,198.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from package_files import Package, package_folder
from raw_samples import RawSamples

AEON = Package("aeon", module="aeon", version="1.6.0", megabytes=7)
FILE = Path("datasets", "data", "KDD-TSAD_135", "135_UCR_Anomaly_InternalBleeding16_TEST.csv")

WINDOW = 32
"""Values: about one heartbeat and a half."""
CLEAN = 1200
"""Values at the beginning that hold no anomaly."""
STEP = 2
"""From one window of the test to the next."""
TRAIN, VALIDATION, TEST = 0, 1, 2


def read_pressure(
    progress: Callable[[str], None],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """All values, and which are anomalous."""
    table = np.loadtxt(package_folder(AEON, progress) / FILE, delimiter=",", skiprows=1)
    return table[:, 1].astype(np.float32), table[:, 2] > 0


def write_windows(file: Path, pressure: NDArray[np.float32], anomalous: NDArray[np.bool_]) -> None:
    """Cut the series into overlapping windows and write them as tinyml reads them.

    No value of a validation window is in a training window, and none of a test window in either.
    A window is an anomaly where one of its values is.
    """
    windows = np.lib.stride_tricks.sliding_window_view(pressure, WINDOW)
    labels = np.lib.stride_tricks.sliding_window_view(anomalous, WINDOW).any(axis=1)
    training = np.arange(CLEAN * 4 // 5 - WINDOW)
    validation = np.arange(CLEAN * 4 // 5, CLEAN - WINDOW)
    test = np.arange(CLEAN, len(windows), STEP)
    chosen = np.concatenate((training, validation, test))
    parts = np.repeat((TRAIN, VALIDATION, TEST), (len(training), len(validation), len(test)))
    np.savez(
        file,
        x=windows[chosen],
        y=labels[chosen].astype(np.int64),
        classes=np.array(["normal", "anomaly"]),
        split=parts.astype(np.int8),
    )


def write_raw_pressure(file: Path, pressure: NDArray[np.float32]) -> RawSamples:
    """Write the series from where the test begins, a value a line, as a monitor would send it."""
    np.savetxt(file, pressure[CLEAN:], fmt="%.9g")
    return RawSamples((file,))
