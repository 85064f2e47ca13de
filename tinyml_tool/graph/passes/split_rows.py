"""Layers in bands of rows: a choice that needs kernels and places of tensors.

Here it has its name and its switch; `compiler/split_rows.py` makes it when kernels are chosen.
"""

from __future__ import annotations

from tinyml_tool.graph.passes.outcome import Outcome
from tinyml_tool.graph.types import Graph

SPLIT_ROWS = "split-rows"


def split_rows(graph: Graph) -> Outcome:
    """The same graph: which layers are split depends on the core and the preset."""
    return Outcome(graph)
