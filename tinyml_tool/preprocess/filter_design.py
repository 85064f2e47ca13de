"""Coefficients of second-order filter sections, by the bilinear transform.

Formulas: R. Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients; the Q of
Butterworth sections from their poles on the unit circle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml_tool.preprocess.series_spec import Filter


@dataclass(frozen=True)
class Section:
    """y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]."""

    b0: float
    b1: float
    b2: float
    a1: float
    a2: float


def design(spec: Filter, rate: float) -> list[Section]:
    """The sections of a filter for signals of `rate` samples a second."""
    if spec.kind in ("bandpass", "notch"):
        return [_section(spec.kind, spec.hz, spec.q, rate)]
    qs = [
        1 / (2 * math.cos(math.pi * (2 * k + 1) / (2 * spec.order))) for k in range(spec.order // 2)
    ]
    return [_section(spec.kind, spec.hz, q, rate) for q in qs]


def _section(kind: str, hz: float, q: float, rate: float) -> Section:
    w = 2 * math.pi * hz / rate
    cosine, alpha = math.cos(w), math.sin(w) / (2 * q)
    if kind in ("bandpass", "notch"):
        alpha = math.tan(w / (2 * q))  # so that hz / q is the width at -3 dB, unwarped
    b0, b1, b2 = {
        "lowpass": ((1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2),
        "highpass": ((1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2),
        "bandpass": (alpha, 0.0, -alpha),
        "notch": (1.0, -2 * cosine, 1.0),
    }[kind]
    a0 = 1 + alpha
    return Section(b0 / a0, b1 / a0, b2 / a0, -2 * cosine / a0, (1 - alpha) / a0)
