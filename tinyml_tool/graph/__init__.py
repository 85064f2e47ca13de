"""The graph room: read, check and measure `.tflite` models.

Names are loaded when first used, so that importing the room costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinyml_tool.graph.checks import check
    from tinyml_tool.graph.measure import (
        activation_bytes,
        macs,
        peak_activation_bytes,
        total_macs,
        total_weight_bytes,
        weight_bytes,
    )
    from tinyml_tool.graph.problem import Problem
    from tinyml_tool.graph.reader import parse_model, read_model
    from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

_HOMES = {
    "check": "checks",
    "activation_bytes": "measure",
    "macs": "measure",
    "peak_activation_bytes": "measure",
    "total_macs": "measure",
    "total_weight_bytes": "measure",
    "weight_bytes": "measure",
    "Problem": "problem",
    "parse_model": "reader",
    "read_model": "reader",
    "DType": "types",
    "Graph": "types",
    "Operator": "types",
    "Quantization": "types",
    "Tensor": "types",
}

__all__ = [
    "DType",
    "Graph",
    "Operator",
    "Problem",
    "Quantization",
    "Tensor",
    "activation_bytes",
    "check",
    "macs",
    "parse_model",
    "peak_activation_bytes",
    "read_model",
    "total_macs",
    "total_weight_bytes",
    "weight_bytes",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
