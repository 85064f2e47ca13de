"""Fixed-point parameters: defined beside the graph, whose passes compute with them too."""

from __future__ import annotations

from tinyml_tool.graph.numerics import (
    INTEGER_RANGES,
    activation_range,
    as_float32,
    calculate_input_radius,
    quantize_multiplier,
    round_half_away,
)

__all__ = [
    "INTEGER_RANGES",
    "activation_range",
    "as_float32",
    "calculate_input_radius",
    "quantize_multiplier",
    "round_half_away",
]
