"""Constant tables of the audio features, computed in double precision and rounded once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.preprocess.audio_spec import AudioSpec

F32 = NDArray[np.float32]


def window_table(spec: AudioSpec) -> F32:
    """Weight of each sample of a frame, `gain` included; shape (window_samples,)."""
    size = spec.window_samples
    low, high = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46), "rectangular": (1.0, 0.0)}[
        spec.window
    ]
    weights = [low - high * math.cos(2 * math.pi * i / size) for i in range(size)]
    return np.array([w * spec.gain for w in weights], np.float32)


def twiddle_table(size: int) -> F32:
    """Cosine and negated sine of 2 pi k / size for k below size / 2; shape (size,)."""
    turns = [2 * math.pi * k / size for k in range(size // 2)]
    return np.array([v for t in turns for v in (math.cos(t), -math.sin(t))], np.float32)


def hz_to_mel(hertz: float) -> float:
    """The mel scale of O'Shaughnessy (1987), as HTK and TensorFlow write it."""
    return 1127.0 * math.log1p(hertz / 700.0)


def band_tables(spec: AudioSpec) -> tuple[NDArray[np.uint16], F32]:
    """First line of the spectrum at or above each band edge, and the rising weight of each line.

    Band b rises from edge b to b + 1 and falls to edge b + 2; edges are evenly spaced in mel, and
    so is the slope of the sides.  Raises ValueError where a band is narrower than the lines and
    has none.
    """
    count = spec.bands + 2
    low, high = hz_to_mel(spec.low_hz), hz_to_mel(spec.high_hz)
    step = (high - low) / (count - 1)
    hertz_a_line = spec.sample_rate / spec.transform_size
    lines = [hz_to_mel(k * hertz_a_line) for k in range(spec.transform_size // 2 + 1)]
    edges = [sum(line < low + i * step - 1e-9 for line in lines) for i in range(count)]
    empty = [b for b in range(spec.bands) if edges[b] == edges[b + 2]]
    if empty:
        raise ValueError(
            f"band {empty[0]} of {spec.bands} has no line of the spectrum, whose lines are "
            f"{hertz_a_line:g} Hz apart"
        )
    rise = []
    for interval in range(count - 1):
        start = low + interval * step
        rise += [(lines[k] - start) / step for k in range(edges[interval], edges[interval + 1])]
    return np.array(edges, np.uint16), np.array(rise, np.float32).clip(0, 1)


def cosine_table(spec: AudioSpec) -> F32:
    """Matrix of the cosine transform of type II, row by row; (coefficients * bands,)."""
    scale = math.sqrt(2 / spec.bands)
    rows = [
        scale
        * (math.sqrt(0.5) if spec.dct == "ortho" and c == 0 else 1.0)
        * math.cos(math.pi * c * (2 * b + 1) / (2 * spec.bands))
        for c in range(spec.coefficients)
        for b in range(spec.bands)
    ]
    return np.array(rows, np.float32)
