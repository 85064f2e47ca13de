"""The ROC curve of an anomaly model as a PNG file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyml_tool.errors import InputError
from tinyml_tool.report.png_file import pillow, write_png
from tinyml_tool.verify.anomaly import AnomalyFigures, RocPoint

_SIDE, _LEFT, _TOP, _BOTTOM = 480, 70, 72, 60
_INK, _CURVE, _MARK, _LINES = (30, 30, 30), (40, 70, 130), (190, 40, 40), (215, 215, 215)
_TEXT_SIZE = 15


def write_roc(figures: AnomalyFigures | None, name: str, path: Path) -> None:
    """Draw the curve, the chance line and the chosen threshold; the file is complete or not there.

    Raises InputError where there is no curve, ToolMissingError where Pillow is absent, OutputError
    where it cannot be written.
    """
    if figures is None:
        raise InputError(
            f"{name}: a ROC curve is for anomaly models, and this is a classifier",
            hint="leave out --roc; for an autoencoder name the normal class with --normal",
        )
    chosen = figures.at_threshold
    if chosen is None:
        raise InputError(
            f"{name}: a ROC curve needs normal samples and anomalies, and there are "
            f"{figures.normal} and {figures.anomalies}",
            hint="give data with both",
        )
    image = pillow().new("RGB", (_SIDE + _LEFT + 40, _SIDE + _TOP + _BOTTOM), "white")
    _draw(image, figures, chosen, name)
    write_png(image, path)


def place(point: RocPoint) -> tuple[float, float]:
    """Where a point of the curve is in the picture, in pixels."""
    return _LEFT + point.false_alarms * _SIDE, _TOP + (1 - point.detected) * _SIDE


def _draw(image: Any, figures: AnomalyFigures, chosen: RocPoint, name: str) -> None:  # noqa: ANN401
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(image)
    draw.font = ImageFont.load_default(_TEXT_SIZE)
    for tenth in range(0, 11, 2):
        x, y = place(RocPoint(None, tenth / 10, tenth / 10))
        draw.line([(x, _TOP), (x, _TOP + _SIDE)], _LINES)
        draw.line([(_LEFT, y), (_LEFT + _SIDE, y)], _LINES)
        draw.text((x, _TOP + _SIDE + 6), f"{tenth / 10:g}", _INK, anchor="ma")
        draw.text((_LEFT - 8, y), f"{tenth / 10:g}", _INK, anchor="rm")
    draw.line([(_LEFT, _TOP + _SIDE), (_LEFT + _SIDE, _TOP)], _LINES, width=2)
    draw.line([place(point) for point in figures.roc], _CURVE, width=3)
    x, y = place(chosen)
    draw.ellipse((x - 6, y - 6, x + 6, y + 6), outline=_MARK, width=3)
    text = f"threshold {figures.threshold.value:.4g}: {chosen.detected:.1%} found,"
    right = x > _LEFT + _SIDE / 2
    low = y < _TOP + _SIDE / 2
    for line, words in enumerate((text, f"{chosen.false_alarms:.1%} false alarms")):
        down = y + 12 + 18 * line if low else y - 48 + 18 * line
        draw.text((x + (-12 if right else 12), down), words, _MARK, anchor="ra" if right else "la")
    draw.text((8, 12), f"{name}: AUC {figures.auc or 0:.4f}", _INK)
    middle = _LEFT + _SIDE / 2
    draw.text((middle, _TOP + _SIDE + 30), "share of false alarms", _INK, anchor="ma")
    draw.text((8, _TOP - 32), "share of anomalies found", _INK)
