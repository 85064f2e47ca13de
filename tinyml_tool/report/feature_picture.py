"""Samples and features as a PNG file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.features_show import FeatureView
from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.report.feature_drawing import feature_pixels, wave_rows
from tinyml_tool.report.png_file import pillow, write_png

_WIDTH = 800
_WAVE_HEIGHT = 160


def write_picture(view: FeatureView, path: Path) -> None:
    """Draw the wave of the samples above the features; the file is complete or not there.

    Raises ToolMissingError where Pillow is absent, OutputError where it cannot be written.
    """
    image = pillow()
    features = feature_pixels(view)
    scale = max(1, _WIDTH // features.shape[1])
    picture = features.repeat(scale, axis=0).repeat(scale, axis=1)
    if not isinstance(view.spec, ImageSpec):
        gap = np.full((scale, picture.shape[1], 3), 255, np.uint8)
        picture = np.concatenate([_wave(view, picture.shape[1]), gap, picture])
    write_png(image.fromarray(picture), path)


def _wave(view: FeatureView, width: int) -> NDArray[np.uint8]:
    low, high = wave_rows(view.samples, width)
    rows = np.linspace(1, -1, _WAVE_HEIGHT)[:, None]
    step = 2 / _WAVE_HEIGHT
    ink = (rows <= high + step) & (rows >= low - step)
    column = (np.arange(width) * len(low) // width).clip(0, len(low) - 1)
    picture = np.where(ink[:, column][..., None], np.array([40, 70, 130]), 255)
    return picture.astype(np.uint8)
