"""Samples and features as pictures: in a terminal, and as pixels for a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from tinyml_tool.api.features_show import FeatureView
from tinyml_tool.preprocess.image_spec import ImageSpec

_STOPS = np.array(
    [[13, 8, 60], [98, 20, 120], [187, 55, 84], [249, 142, 8], [252, 255, 164]], np.float64
)
"""From small to large values; also tells them apart without colours."""

_WAVE_ROWS = 8


def heat(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Colours of a matrix of numbers, from its least to its largest; (rows, columns, 3)."""
    low, high = float(values.min()), float(values.max())
    share = (values - low) / (high - low) if high > low else np.zeros(values.shape)
    place = share * (len(_STOPS) - 1)
    left = np.minimum(place.astype(int), len(_STOPS) - 2)
    rest = (place - left)[..., None]
    colours = _STOPS[left] * (1 - rest) + _STOPS[left + 1] * rest
    rounded: NDArray[np.uint8] = np.rint(colours).astype(np.uint8)
    return rounded


def feature_pixels(view: FeatureView) -> NDArray[np.uint8]:
    """The features as a picture, time from left to right; (height, width, 3)."""
    features = view.features
    if isinstance(view.spec, ImageSpec):
        low, high = float(features.min()), float(features.max())
        grey = (features - low) / (high - low or 1.0) * 255
        return np.broadcast_to(np.rint(grey), (*features.shape[:2], 3)).astype(np.uint8)
    matrix = features.reshape(features.shape[0], -1)
    return heat(matrix.T[::-1])


def wave_rows(samples: NDArray[Any], width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and largest sample of each of `width` columns, over the largest of all."""
    values = samples.astype(np.float64)
    parts = np.array_split(values, min(width, len(values)))
    largest = np.abs(values).max() or 1.0
    low = np.array([part.min() for part in parts]) / largest
    high = np.array([part.max() for part in parts]) / largest
    return low, high


def drawing(view: FeatureView, width: int) -> list[Text]:
    """Lines for a terminal of so many columns: the samples as a wave, the features in colour."""
    lines = [Text(view.about, style="bold")]
    if not isinstance(view.spec, ImageSpec):
        lines += _wave(view.samples, width)
    lines += _half_blocks(_fitted(feature_pixels(view), width))
    features = view.features
    lines.append(
        Text(
            f"window {view.window} of {view.windows}: "
            f"{' x '.join(map(str, features.shape))} values, "
            f"{float(features.min()):.4g} to {float(features.max()):.4g}"
        )
    )
    return lines


def _wave(samples: NDArray[Any], width: int) -> list[Text]:
    low, high = wave_rows(samples, width)
    lines = []
    for row in range(_WAVE_ROWS):
        top, bottom = 1 - 2 * row / _WAVE_ROWS, 1 - 2 * (row + 1) / _WAVE_ROWS
        marks = [
            "█" if most > bottom and least < top else " "
            for least, most in zip(low, high, strict=True)
        ]
        if row == _WAVE_ROWS // 2:
            marks = ["▔" if mark == " " else mark for mark in marks]
        lines.append(Text("".join(marks).rstrip()))
    return lines


def _fitted(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """At most `width` pixels in a row: columns are left out evenly, and rows as many times."""
    step = -(-pixels.shape[1] // width)
    return pixels[::step, ::step]


def _half_blocks(pixels: NDArray[np.uint8]) -> list[Text]:
    """Two rows of pixels in each line of text."""
    lines = []
    for y in range(0, len(pixels), 2):
        line = Text()
        for x in range(pixels.shape[1]):
            upper = "#{:02x}{:02x}{:02x}".format(*pixels[y, x])
            if y + 1 < len(pixels):
                lower = "#{:02x}{:02x}{:02x}".format(*pixels[y + 1, x])
                line.append("▀", style=f"{upper} on {lower}")
            else:
                line.append("▀", style=upper)
        lines.append(line)
    return lines
