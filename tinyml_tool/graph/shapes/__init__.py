"""The shapes that an operator's inputs and options give its outputs."""

from __future__ import annotations

from tinyml_tool.graph.shapes import arithmetic, movement, windows
from tinyml_tool.graph.shapes.rule import Rule, Shape, ShapeError
from tinyml_tool.graph.types import Graph, Operator

_RULES: dict[str, Rule] = {**windows.RULES, **arithmetic.RULES, **movement.RULES}

KINDS_WITH_RULE = frozenset(_RULES)
"""Operators whose output shapes are known; for others `output_shapes` gives None."""

__all__ = ["KINDS_WITH_RULE", "Rule", "Shape", "ShapeError", "output_shapes"]


def output_shapes(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """The shapes of the operator's outputs; None where they cannot be known.

    All inputs and outputs must be there, in the right number, with positive lengths. Raises
    ShapeError where inputs and options do not fit together.
    """
    rule = _RULES.get(operator.kind)
    return rule(operator, graph) if rule else None
