"""Layers whose outputs nobody reads are dropped.

Exact because layers have no effect but their outputs; those with state stay.
"""

from __future__ import annotations

from tinyml_tool.graph.passes.edit import with_replaced
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.types import Graph, Operator


def drop_unused_layers(graph: Graph) -> Outcome:
    """From the last layer to the first, so that a chain goes at once."""
    needed = set(graph.outputs)
    unused: list[Operator] = []
    for operator in reversed(graph.operators):
        if needed.isdisjoint(operator.outputs) and not _has_effects(operator, graph):
            unused.append(operator)
        else:
            needed.update(operator.inputs)
    changes = tuple(
        Change(operator.origin, operator.kind, "nobody reads its output", removed=True)
        for operator in reversed(unused)
    )
    if not unused:
        return Outcome(graph)
    return Outcome(with_replaced(graph, {op.index: None for op in unused}), changes)


def _has_effects(operator: Operator, graph: Graph) -> bool:
    """Whether it changes a variable, or nobody knows what it does."""
    known = not operator.kind.startswith(("CUSTOM", "UNKNOWN")) and bool(operator.outputs)
    variables = any(graph.tensor(index).is_variable for index in operator.inputs if index >= 0)
    return not known or variables or operator.kind in _EFFECTIVE


_EFFECTIVE = frozenset(("CALL_ONCE", "IF", "WHILE", "ASSIGN_VARIABLE", "VAR_HANDLE"))
