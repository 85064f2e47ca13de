"""QUANTIZE between 8-bit types: those that change nothing go, two in a row become one.

Exact because an 8-bit value has 256 states: the table of the two layers, one after the other, is
compared with the table of the one that would replace them, in all 256 entries. Rounding twice
often differs from rounding once, and then both stay.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml_tool.graph.fixed_point import Integers
from tinyml_tool.graph.passes.bypass import bypassed
from tinyml_tool.graph.passes.byte_tables import (
    byte_table,
    every_value,
    looked_up,
    rescaling_table,
)
from tinyml_tool.graph.passes.edit import only_reader, with_replaced, writers
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.types import Graph, Operator
from tinyml_tool.graph.unsupported_operator import UnsupportedOperatorError


def fold_quantize(graph: Graph) -> Outcome:
    """Fold one layer after another."""
    changes: list[Change] = []
    for origin in [op.origin for op in graph.operators if op.kind == "QUANTIZE"]:
        operator = next((op for op in graph.operators if op.origin == origin), None)
        if operator is None:
            continue
        try:
            graph, change = _folded(graph, operator)
        except UnsupportedOperatorError:
            continue  # no engine runs it, and the compiler says why
        changes += [change] if change else []
    return Outcome(graph, tuple(changes))


def _folded(graph: Graph, operator: Operator) -> tuple[Graph, Change | None]:
    table = byte_table(operator, graph)
    if table is None:
        return graph, None
    source = graph.tensor(operator.inputs[0])
    identity = np.array_equal(table, every_value(source.dtype))
    if identity and (result := bypassed(graph, operator)) is not None:
        change = Change(operator.origin, operator.kind, "changes no value", removed=True)
        return result, change
    return _merged(graph, operator, table)


def _merged(graph: Graph, operator: Operator, table: Integers) -> tuple[Graph, Change | None]:
    """The graph where this layer does what the QUANTIZE before it did, too."""
    source = graph.tensor(operator.inputs[0])
    before = writers(graph).get(source.index)
    if before is None or before.kind != "QUANTIZE" or only_reader(graph, source.index) is None:
        return graph, None
    first = byte_table(before, graph)
    if first is None:
        return graph, None
    origin, target = graph.tensor(before.inputs[0]), graph.tensor(operator.outputs[0])
    both = looked_up(first, table, source.dtype)
    if not np.array_equal(both, rescaling_table(origin, target)):
        return graph, None
    one = replace(operator, inputs=before.inputs)
    text = f"one with layer {operator.origin}, for all 256 values"
    result = with_replaced(graph, {before.index: None, operator.index: one})
    return result, Change(before.origin, before.kind, text, removed=True)
