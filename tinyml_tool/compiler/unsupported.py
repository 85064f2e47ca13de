"""How a lowering says that it cannot take an operator, and an engine that it cannot run a model."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_tool.errors import UnsupportedModelError
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.unsupported_operator import UnsupportedOperatorError

__all__ = ["UnsupportedOperatorError", "unsupported"]


def unsupported(name: str, engine: str, problems: Sequence[Problem]) -> UnsupportedModelError:
    """The error that lists all `problems` that `engine` has with the model `name`."""
    lines = [str(problem) for problem in problems]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return UnsupportedModelError(
        f"{name}: engine '{engine}' cannot run this model: {lines[0]}{more}",
        hint=problems[0].fix or None,
        details=lines,
    )
