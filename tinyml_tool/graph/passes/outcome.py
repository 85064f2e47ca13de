"""What a pass is, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tinyml_tool.graph.known_values import KnownChannels
from tinyml_tool.graph.types import Graph


@dataclass(frozen=True)
class Change:
    """One thing that a pass did to one layer of the model."""

    layer: int
    """The operator's index in the model."""
    kind: str
    text: str
    """Completes "layer 3 RELU: ..."."""
    removed: bool = False
    """Whether nothing is left of the layer to be compared."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The graph after a pass, and the changes that led to it; none where it found nothing to do."""

    graph: Graph
    changes: tuple[Change, ...] = ()
    foretold: tuple[KnownChannels, ...] = ()
    """Channels that were removed since their values are known, by indices of the model."""


Pass: TypeAlias = Callable[[Graph], Outcome]
"""A pure function. The graph must be sound: `checks.check` finds no problem in it."""
