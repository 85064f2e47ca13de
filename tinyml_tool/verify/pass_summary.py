"""What the graph passes saved, and which layers are therefore compared in part or not at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinyml_tool.graph.passes.outcome import Change
from tinyml_tool.graph.passes.rewrite import Cost, Rewriting
from tinyml_tool.graph.passes.split_rows import SPLIT_ROWS
from tinyml_tool.graph.types import Graph


@dataclass(frozen=True)
class PartialLayer:
    """A layer of which the passes left some channels: those are compared."""

    layer: int
    kind: str
    channels: int
    of: int


@dataclass(frozen=True)
class PassSummary:
    """The passes' effect on one model."""

    passes: tuple[str, ...]
    before: Cost
    after: Cost
    removed: tuple[Change, ...]
    partial: tuple[PartialLayer, ...]
    in_bands: tuple[Change, ...] = ()
    """Layers whose outputs are never whole in memory: compared where their band of rows ends."""

    @classmethod
    def of(cls, rewriting: Rewriting) -> PassSummary:
        """Sum up a rewriting."""
        return cls(
            rewriting.passes,
            rewriting.before,
            rewriting.after,
            rewriting.removed,
            _partial_layers(rewriting.graph, rewriting.original),
            _in_bands(rewriting),
        )

    @property
    def macs_saved(self) -> int:
        """Multiply-accumulates of one inference."""
        return self.before.macs - self.after.macs

    @property
    def bytes_saved(self) -> int:
        """Bytes of weights."""
        return self.before.weight_bytes - self.after.weight_bytes

    def to_json(self) -> dict[str, Any]:
        """For the evidence."""
        return {**asdict(self), "macs_saved": self.macs_saved, "bytes_saved": self.bytes_saved}


def _in_bands(rewriting: Rewriting) -> tuple[Change, ...]:
    layers = rewriting.in_bands
    changes = (c for r in rewriting.records if r.name == SPLIT_ROWS for c in r.changes)
    return tuple(change for change in changes if change.layer in layers)


def _partial_layers(graph: Graph, original: Graph) -> tuple[PartialLayer, ...]:
    kinds = {operator.index: operator.kind for operator in original.operators}
    return tuple(
        PartialLayer(
            operator.origin,
            kinds[operator.origin],
            len(tensor.channels),
            original.tensor(index).shape[-1],
        )
        for operator in graph.operators
        for index in graph.written(operator)
        if (tensor := graph.tensor(index)).channels is not None
    )
