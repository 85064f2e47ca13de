"""One thing that is wrong with a model: where, why, and the way out."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.graph.types import Operator


@dataclass(frozen=True)
class Problem:
    """A reason why a model cannot be used. `layer` is None for a problem of the whole model."""

    layer: str | None
    """Such as "layer 3 CONV_2D"."""
    cause: str
    fix: str

    @classmethod
    def of(cls, operator: Operator, cause: str, fix: str) -> Problem:
        """A problem of that operator."""
        return cls(layer_name(operator), cause, fix)

    def __str__(self) -> str:
        text = f"{self.cause}; {self.fix}" if self.fix else self.cause
        return f"{self.layer}: {text}" if self.layer else text


def layer_name(operator: Operator) -> str:
    """How messages name an operator, such as "layer 3 CONV_2D"."""
    return f"layer {operator.origin} {operator.kind}"
