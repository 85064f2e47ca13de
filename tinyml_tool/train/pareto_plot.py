"""Accuracy against what it costs, as SVG text: no plotting library, the same bytes every time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 430, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 34, 46
_COLOURS = {"other": "#b0b7c3", "front": "#1a6fd6", "baseline": "#d6451a"}
_RADII = {"other": 3, "front": 5, "baseline": 6}


@dataclass(frozen=True)
class PlotPoint:
    """A network in the plot."""

    name: str
    accuracy: float
    flash: int
    instructions: int
    kind: str
    """`front`, `other` or `baseline`."""


def front_svg(points: Sequence[PlotPoint], *, board: str) -> str:
    """Two plots beside each other: accuracy against instructions and against flash."""
    plots = [
        _plot(points, "instructions of one inference (emulated)", lambda one: one.instructions, 0),
        _plot(points, f"bytes of flash on {board}", lambda one: one.flash, _WIDTH),
    ]
    legend = "".join(
        f'<circle cx="{_LEFT + 110 * place}" cy="14" r="5" fill="{_COLOURS[kind]}"/>'
        f'<text x="{_LEFT + 10 + 110 * place}" y="18">{kind}</text>'
        for place, kind in enumerate(("front", "other", "baseline"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH} {_HEIGHT}" '
        f'width="{2 * _WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="{2 * _WIDTH}" height="{_HEIGHT}" fill="white"/>\n{legend}\n'
        + "\n".join(plots)
        + "\n</svg>\n"
    )


def _plot(
    points: Sequence[PlotPoint], title: str, cost: Callable[[PlotPoint], int], left: int
) -> str:
    """One plot, its horizontal axis logarithmic."""
    costs = [max(cost(one), 1) for one in points]
    low, high = math.log10(min(costs)) - 0.05, math.log10(max(costs)) + 0.05
    least = max(0.0, min(one.accuracy for one in points) - 0.02)

    def x(value: float) -> float:
        return left + _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(accuracy: float) -> float:
        return _HEIGHT - _BOTTOM - (accuracy - least) / (1 - least) * (_HEIGHT - _TOP - _BOTTOM)

    bottom = _HEIGHT - _BOTTOM
    parts = [
        f'<path d="M{left + _LEFT} {_TOP}V{bottom}H{left + _WIDTH - _RIGHT}" '
        'fill="none" stroke="#333"/>',
        f'<text x="{left + (_LEFT + _WIDTH) / 2:.0f}" y="{_HEIGHT - 8}" '
        f'text-anchor="middle">{escape(title)}</text>',
        f'<text transform="translate({left + 14} {(_TOP + bottom) / 2:.0f}) rotate(-90)" '
        'text-anchor="middle">accuracy, validation</text>',
    ]
    for tick in _ticks(low, high):
        parts.append(
            f'<path d="M{x(tick):.1f} {_TOP}V{bottom}" stroke="#eee"/>'
            f'<text x="{x(tick):.1f}" y="{bottom + 14}" text-anchor="middle">{_short(tick)}</text>'
        )
    for step in range(5):
        accuracy = least + (1 - least) * step / 4
        parts.append(
            f'<path d="M{left + _LEFT} {y(accuracy):.1f}H{left + _WIDTH - _RIGHT}" stroke="#eee"/>'
            f'<text x="{left + _LEFT - 5}" y="{y(accuracy) + 4:.1f}" '
            f'text-anchor="end">{accuracy:.3f}</text>'
        )
    for one in sorted(points, key=lambda one: list(_COLOURS).index(one.kind)):
        parts.append(
            f'<circle cx="{x(max(cost(one), 1)):.1f}" cy="{y(one.accuracy):.1f}" '
            f'r="{_RADII[one.kind]}" fill="{_COLOURS[one.kind]}">'
            f"<title>{escape(one.name)}: {one.accuracy:.4f}, {cost(one):,}</title></circle>"
        )
    return "\n".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two exponents."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    found = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return [value for value in found if low <= math.log10(value) <= high]


def _short(value: float) -> str:
    """A number with k or M.

    >>> _short(20000), _short(5e6), _short(500)
    ('20k', '5M', '500')
    """
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"
