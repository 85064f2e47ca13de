"""Which pixels a resized pixel comes from, and with what weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WEIGHT_SUM = 1 << 15


@dataclass(frozen=True, eq=False)
class Resampling:
    """One axis: result i is the sum of weights[i, t] * source[starts[i] + t], over WEIGHT_SUM."""

    taps: int
    starts: NDArray[np.uint16]
    weights: NDArray[np.uint16]
    """Shape (size, taps)."""


def resampling(source: int, size: int, method: str) -> Resampling:
    """The table from `source` to `size` pixels; `method` as ImageSpec.resize.

    Pixel centres lie at i + 1/2, so both pictures cover the same area.
    """
    weights = {"nearest": _nearest, "bilinear": _bilinear, "smooth": _smooth, "area": _area}[method]
    rows = [weights(i, source, size) for i in range(size)]
    taps = max(max(row) - min(row) + 1 for row in rows)
    starts = [min(*row, source - taps) for row in rows]
    whole = [_whole(row) for row in rows]
    table = [
        [row.get(start + t, 0) for t in range(taps)]
        for row, start in zip(whole, starts, strict=True)
    ]
    return Resampling(taps, np.array(starts, np.uint16), np.array(table, np.uint16))


def _nearest(i: int, source: int, size: int) -> dict[int, float]:
    return {(2 * i + 1) * source // (2 * size): 1.0}


def _bilinear(i: int, source: int, size: int) -> dict[int, float]:
    centre = min(max((i + 0.5) * source / size - 0.5, 0.0), source - 1.0)
    left = int(centre)
    share = centre - left
    return {left: 1.0} if share == 0 else {left: 1 - share, left + 1: share}


def _smooth(i: int, source: int, size: int) -> dict[int, float]:
    """A triangle as wide as two pixels of the result, or of the source if those are wider."""
    scale = max(1.0, source / size)
    centre = (i + 0.5) * source / size
    first, last = max(0, int(centre - scale + 0.5)), min(source, int(centre + scale + 0.5))
    weights = {x: 1 - abs(x + 0.5 - centre) / scale for x in range(first, last)}
    return {x: weight for x, weight in weights.items() if weight > 0}


def _area(i: int, source: int, size: int) -> dict[int, float]:
    """How much of the pixel i each pixel of the source covers."""
    first, last = i * source / size, (i + 1) * source / size
    covered = {
        x: min(x + 1, last) - max(x, first) for x in range(int(first), min(source, math.ceil(last)))
    }
    return {x: share for x, share in covered.items() if share > 1e-9}


def _whole(weights: dict[int, float]) -> dict[int, int]:
    """The weights as whole numbers that add up to WEIGHT_SUM: the largest takes what is missing."""
    total = sum(weights.values())
    whole = {x: math.floor(w / total * WEIGHT_SUM + 0.5) for x, w in weights.items()}
    largest = max(whole, key=lambda x: whole[x])
    whole[largest] += WEIGHT_SUM - sum(whole.values())
    return whole
