"""Small data sets and trainings: what tests of training start from."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tinyml_tool.environments.catalogue import TENSORFLOW
from tinyml_tool.environments.find import find_environment
from tinyml_tool.train.dataset import Dataset, make_dataset
from tinyml_tool.train.engine_process import PYTHON_VARIABLE

needs_tensorflow = pytest.mark.skipif(
    find_environment(TENSORFLOW) is None,
    reason="TensorFlow is not installed: pip install '.[train]', or set " + PYTHON_VARIABLE,
)


def series(count: int = 60, *, steps: int = 12, channels: int = 2, classes: int = 3) -> Dataset:
    """Noisy waves; a class is a frequency, so a small network learns it in a few epochs."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % classes
    time = np.arange(steps) / steps * 2 * np.pi
    phase = rng.uniform(0, 0.5, (count, 1))
    waves = np.sin((labels[:, None] + 1) * time + phase)[..., None]
    samples = waves * np.linspace(1, 3, channels) + rng.normal(0, 0.1, (count, steps, channels))
    names = tuple(f"wave {number}" for number in range(classes))
    return make_dataset("waves", "series", samples.astype(np.float32), labels, names)


def wav_bytes(
    samples: NDArray[np.int16] | bytes,
    *,
    rate: int = 8000,
    channels: int = 1,
    bits: int = 16,
    tag: int = 1,
) -> bytes:
    """The content of a WAV file."""
    data = samples if isinstance(samples, bytes) else samples.astype("<i2").tobytes()
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(form)) + form
    body += struct.pack("<4sI", b"data", len(data)) + data + b"\0" * (len(data) % 2)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def write_wavs(folder: Path, *, per_class: int = 4, length: int = 80, **form: int) -> Path:
    """A folder of sounds of two classes."""
    rng = np.random.default_rng(0)
    for name in ("no", "yes"):
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            samples = rng.integers(-1000, 1000, length).astype(np.int16)
            (folder / name / f"{number}.wav").write_bytes(wav_bytes(samples, **form))
    return folder
