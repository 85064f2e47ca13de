"""Constant tables of the micro front end, in single precision where TFLM computes them so."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.preprocess.micro_audio_spec import MicroAudioSpec, Pcan
from tinyml_tool.preprocess.single_log1p import log1p

F32 = np.float32
I16 = NDArray[np.int16]
WEIGHT_BITS = 12


def window_table(size: int) -> I16:
    """A Hann window as Q3.12, its samples in the middle of their time; shape (size,)."""
    turn = F32(math.pi) * F32(2) / F32(size)
    weights = []
    for i in range(size):
        cosine = F32(math.cos(float(turn * (F32(i) + F32(0.5)))))
        weight = (F32(0.5) - F32(0.5) * cosine) * F32(1 << WEIGHT_BITS)
        weights.append(math.floor(float(weight) + 0.5))
    return np.array(weights, np.int16)


def _q15(angles: list[float]) -> I16:
    """Cosine and sine of each angle as Q0.15, alternating."""
    values = [math.floor(0.5 + 32767 * f(a)) for a in angles for f in (math.cos, math.sin)]
    return np.array(values, np.int16)


def twiddle_table(count: int) -> I16:
    """exp(-2 pi i k / count) for all k; shape (2 * count,)."""
    return _q15([-2 * math.pi * k / count for k in range(count)])


def half_table(count: int) -> I16:
    """exp(-i pi ((k + 1) / count + 1/2)) for k below count / 2; shape (count,)."""
    return _q15([-math.pi * ((k + 1) / count + 0.5) for k in range(count // 2)])


@dataclass(frozen=True, eq=False)
class BandTables:
    """Lines of the spectrum in each interval between band edges, and their weights as Q4.12."""

    edges: NDArray[np.uint16]
    """Shape (bands + 2,): interval i has the lines edges[i] to edges[i + 1] - 1."""
    falling: NDArray[np.uint16]
    rising: NDArray[np.uint16]


def _mel(hertz: np.float32) -> np.float32:
    return F32(1127) * log1p(hertz / F32(700))


def band_tables(spec: MicroAudioSpec) -> BandTables:
    """The bands, without the line at 0 Hz.

    Raises ValueError where the last band reaches beyond the spectrum.
    """
    lines = spec.transform_size // 2 + 1
    low, high = _mel(F32(spec.low_hz)), _mel(F32(spec.high_hz))
    spacing = (high - low) / F32(spec.bands + 1)
    edges_mel = [low + spacing * F32(i + 1) for i in range(spec.bands + 1)]
    hertz_a_line = F32(0.5) * F32(spec.sample_rate) / F32(lines - 1)
    line = int(F32(1.5) + F32(spec.low_hz) / hertz_a_line)
    edges, falling, rising = [line], [], []
    for i, edge in enumerate(edges_mel):
        before = low if i == 0 else edges_mel[i - 1]
        while (at := _mel(F32(line) * hertz_a_line)) <= edge:
            share = (edge - at) / (edge - before)
            falling.append(math.floor(float(share * F32(1 << WEIGHT_BITS) + F32(0.5))))
            rising.append(math.floor(float((F32(1) - share) * F32(1 << WEIGHT_BITS) + F32(0.5))))
            line += 1
        edges.append(line)
    if line >= lines:
        raise ValueError(f"high_hz {spec.high_hz:g} is beyond the last line of the spectrum")
    return BandTables(
        np.array(edges, np.uint16), np.array(falling, np.uint16), np.array(rising, np.uint16)
    )


def gain_table(pcan: Pcan, noise_bits: int) -> I16:
    """Gains for `micro_pcan.h`; an estimate of the noise has `noise_bits` fraction bits."""

    def gain(x: int) -> int:
        noise = F32(x) / F32(1 << noise_bits)
        power = F32(math.pow(float(noise + F32(pcan.offset)), float(F32(-pcan.strength))))
        return int(min(F32(1 << pcan.gain_bits) * power, F32(32767)) + F32(0.5))

    table = [gain(0), gain(1)]
    for bits in range(2, 33):
        first = 1 << (bits - 1)
        last = first + (first - 1) if bits == 32 else 2 * first
        y0, y1, y2 = gain(first), gain(first + (first >> 1)), gain(last)
        slope = 4 * (y1 - y0) - (y2 - y0)
        table += [y0, slope, y2 - y0 - slope, 0]
    return np.array(table[:125], np.int64).astype(np.int16)


def logarithm_table() -> NDArray[np.uint16]:
    """log2(1 + i / 128) - i / 128 as Q0.16, for `micro_log.h`; shape (130,)."""
    values = [math.floor(65536 * (math.log2(1 + i / 128) - i / 128) + 0.5) for i in range(129)]
    return np.array([*values, 0], np.uint16)
