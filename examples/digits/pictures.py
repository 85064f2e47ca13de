"""Draws small grey pictures with characters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.style import Style
from rich.text import Text

SHADES = " ░▒▓█"
"""Characters from no ink to full ink."""


def draw(image: NDArray[np.floating[Any]], *, colours: bool) -> Text:
    """Draw a picture of shape (height, width), values 0 (paper) to 1 (ink).

    With colours one character shows two pixels, upper and lower half; it takes width x height / 2
    characters at twice the size.  Without, a pixel is two shaded characters wide.
    """
    return _half_blocks(np.kron(image, np.ones((2, 2)))) if colours else _shaded(image)


def _half_blocks(image: NDArray[np.floating[Any]]) -> Text:
    text = Text()
    for upper, lower in zip(image[0::2], image[1::2], strict=True):
        for top, bottom in zip(upper, lower, strict=True):
            text.append("▀", Style(color=_grey(top), bgcolor=_grey(bottom)))
        text.append("\n")
    text.rstrip()
    return text


def _grey(ink: float) -> Color:
    level = round(235 * float(ink)) + 20
    return Color.from_rgb(level, level, level)


def _shaded(image: NDArray[np.floating[Any]]) -> Text:
    levels = np.rint(np.clip(image, 0, 1) * (len(SHADES) - 1)).astype(int)
    return Text("\n".join("".join(SHADES[level] * 2 for level in row) for row in levels))
