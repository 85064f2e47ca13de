"""Runs the passes one after another, and keeps account of what each did."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace

from tinyml_tool.errors import InputError
from tinyml_tool.graph.checks import check
from tinyml_tool.graph.known_values import KnownChannels
from tinyml_tool.graph.measure import total_macs, total_weight_bytes
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.passes.registry import PASSES
from tinyml_tool.graph.types import Graph

_MOST_ROUNDS = 8
"""Each round ends with a smaller graph, or is the last."""


@dataclass(frozen=True)
class Cost:
    """How large a graph is."""

    layers: int
    channels: int
    """Of all layers' outputs."""
    macs: int
    weight_bytes: int


@dataclass(frozen=True)
class PassRecord:
    """What one pass did, in all rounds together."""

    name: str
    enabled: bool
    changes: tuple[Change, ...]
    before: Cost
    after: Cost


@dataclass(frozen=True, eq=False)
class Rewriting:
    """A model's graph and the one that is compiled in its place."""

    original: Graph
    graph: Graph
    records: tuple[PassRecord, ...] = ()
    foretold: tuple[KnownChannels, ...] = ()
    """Values of channels that are gone, which the reference must have too."""

    @property
    def passes(self) -> tuple[str, ...]:
        """Names of the passes that were switched on, in their order."""
        return tuple(record.name for record in self.records if record.enabled)

    @property
    def removed(self) -> tuple[Change, ...]:
        """Layers of the model that are not computed any more, each with the reason."""
        left = {operator.origin for operator in self.graph.operators}
        last = {c.layer: c for r in self.records for c in r.changes if c.removed}
        return tuple(last[layer] for layer in sorted(last) if layer not in left)

    @property
    def in_bands(self) -> tuple[int, ...]:
        """Layers of the model whose outputs are never whole in memory; see split-rows."""
        return tuple(
            op.origin for op in self.graph.operators if self.graph.written(op) != op.outputs
        )

    @property
    def before(self) -> Cost:
        """Of the model."""
        return cost_of(self.original)

    @property
    def after(self) -> Cost:
        """Of what is compiled."""
        return cost_of(self.graph)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with any layer, shape or channel of the graph."""
        channels = "\n".join(f"{t.index}:{t.channels}" for t in self.graph.tensors if t.channels)
        channels += "".join(f"\n{t.index} in bands" for t in self.graph.tensors if t.in_bands)
        options = "\n".join(f"{op.origin}:{op.options}" for op in self.graph.operators)
        text = f"{self.graph}\n{channels}\n{options}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def cost_of(graph: Graph) -> Cost:
    """The size of a graph."""
    outputs = (graph.tensor(index) for op in graph.operators for index in op.outputs)
    return Cost(
        layers=len(graph.operators),
        channels=sum(tensor.shape[-1] for tensor in outputs if tensor.shape),
        macs=total_macs(graph),
        weight_bytes=total_weight_bytes(graph),
    )


def unchanged(graph: Graph) -> Rewriting:
    """No pass at all."""
    return Rewriting(graph, graph)


def check_passes(names: Collection[str]) -> None:
    """Raise InputError where there is no pass of a name."""
    unknown = sorted(set(names) - PASSES.keys())
    if unknown:
        raise InputError(
            f"there is no pass '{unknown[0]}'", hint=f"the passes are {', '.join(PASSES)}"
        )


def rewrite(graph: Graph, without: Collection[str] = ()) -> Rewriting:
    """Run all passes but those in `without`, again until none finds anything to do.

    A graph that is not sound stays as it is: whoever compiles it tells what is wrong.  Raises
    InputError for an unknown pass.
    """
    check_passes(without)
    zero = Cost(0, 0, 0, 0)
    result = Rewriting(
        graph,
        graph,
        tuple(PassRecord(name, name not in without, (), zero, zero) for name in PASSES),
    )
    if check(graph):
        return result
    for _ in range(_MOST_ROUNDS):
        before = result.graph
        result = _round(result)
        if result.graph is before:
            break
    return result


def with_later_pass(rewriting: Rewriting, name: str, outcome: Outcome) -> Rewriting:
    """The rewriting with what pass `name` did that could only run when kernels were chosen."""
    if not outcome.changes:
        return rewriting
    before = cost_of(rewriting.graph)
    records = tuple(
        _added(record, outcome.changes, before, cost_of(outcome.graph))
        if record.name == name
        else record
        for record in rewriting.records
    )
    return replace(rewriting, graph=outcome.graph, records=records)


def _round(result: Rewriting) -> Rewriting:
    records = []
    for record in result.records:
        outcome = PASSES[record.name](result.graph) if record.enabled else None
        before = cost_of(result.graph)
        if outcome is not None and outcome.changes:
            foretold = (*result.foretold, *outcome.foretold)
            result = replace(result, graph=outcome.graph, foretold=foretold)
        after = cost_of(result.graph)
        records.append(_added(record, outcome.changes if outcome else (), before, after))
    return replace(result, records=tuple(records))


def _added(
    record: PassRecord, changes: tuple[Change, ...], before: Cost, after: Cost
) -> PassRecord:
    """The record with one more run of its pass; costs span those that changed something."""
    first = record.before if record.changes else before
    last = after if changes or not record.changes else record.after
    return replace(record, changes=(*record.changes, *changes), before=first, after=last)
