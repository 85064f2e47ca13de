"""Fixed-point arithmetic on arrays: defined beside the graph, whose passes compute with it too."""

from __future__ import annotations

from tinyml_tool.graph.fixed_point import (
    Integers,
    exponential,
    high_mul,
    logistic,
    requantize,
    rounding_shift_right,
    saturating_shift_left,
    tanh,
    wrap,
)

__all__ = [
    "Integers",
    "exponential",
    "high_mul",
    "logistic",
    "requantize",
    "rounding_shift_right",
    "saturating_shift_left",
    "tanh",
    "wrap",
]
