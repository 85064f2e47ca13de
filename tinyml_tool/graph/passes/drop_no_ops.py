"""Layers that leave every byte where it is are dropped; those that only rename axes are free.

Exact because nothing is computed:

- RESHAPE, SQUEEZE, EXPAND_DIMS to the shape the input has; PAD and PADV2 by nothing;
  CONCATENATION of one tensor without activation; STRIDED_SLICE that takes all;
- TRANSPOSE by the identity, or that moves only axes of length 1: the order of the elements in
  memory stays, so the second becomes a RESHAPE;
- RESHAPE of a RESHAPE: the shape between does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tinyml_tool.graph.options import Activation, ConcatenationOptions, StridedSliceOptions
from tinyml_tool.graph.passes.bypass import bypassed
from tinyml_tool.graph.passes.edit import only_reader, with_replaced, writers
from tinyml_tool.graph.passes.layer_forms import RESHAPING
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.types import Graph, Operator


def drop_no_ops(graph: Graph) -> Outcome:
    """Drop one layer after another."""
    changes: list[Change] = []
    for origin in [operator.origin for operator in graph.operators]:
        # Operators are numbered anew with each change.
        operator = next((op for op in graph.operators if op.origin == origin), None)
        if operator is None:
            continue
        graph, change = _simplified(graph, operator)
        changes += [change] if change else []
    return Outcome(graph, tuple(changes))


def _simplified(graph: Graph, operator: Operator) -> tuple[Graph, Change | None]:
    if _does_nothing(operator, graph) and (result := bypassed(graph, operator)) is not None:
        text = "does nothing"
        return result, Change(operator.origin, operator.kind, text, removed=True)
    if _only_renames_axes(operator, graph):
        reshape = replace(operator, kind="RESHAPE", inputs=operator.inputs[:1], options=None)
        text = "moves only axes of length 1: a reshape, which costs nothing"
        result = with_replaced(graph, {operator.index: reshape})
        return result, Change(operator.origin, operator.kind, text)
    if operator.kind in RESHAPING and (result := _merged(graph, operator)) is not None:
        earlier = writers(graph)[operator.inputs[0]]
        text = f"layer {operator.origin} gives another shape"
        return result, Change(earlier.origin, earlier.kind, text, removed=True)
    return graph, None


def _merged(graph: Graph, operator: Operator) -> Graph | None:
    """The graph where this reshape reads what the reshape before it read."""
    before = writers(graph).get(operator.inputs[0])
    if before is None or before.kind not in RESHAPING:
        return None
    source, between = graph.tensor(before.inputs[0]), graph.tensor(before.outputs[0])
    if source.is_constant or only_reader(graph, between.index) is None:
        return None
    if source.dtype is not between.dtype or source.quantization != between.quantization:
        return None
    merged = replace(operator, kind="RESHAPE", inputs=(source.index,), options=None)
    return with_replaced(graph, {before.index: None, operator.index: merged})


def _does_nothing(operator: Operator, graph: Graph) -> bool:
    leaves_all = _RULES.get(operator.kind)
    if leaves_all is None or len(operator.outputs) != 1:
        return False
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    return source.shape == target.shape and leaves_all(operator, graph)


def _always(operator: Operator, graph: Graph) -> bool:
    return True


def _pads_nothing(operator: Operator, graph: Graph) -> bool:
    paddings = graph.tensor(operator.inputs[1]).data
    return paddings is not None and not paddings.any()


def _joins_one(operator: Operator, graph: Graph) -> bool:
    options = operator.options
    assert isinstance(options, ConcatenationOptions)
    return len(operator.inputs) == 1 and options.activation is Activation.NONE


def _goes_forward(operator: Operator, graph: Graph) -> bool:
    """As many elements as the input has, in steps forward, are all of them in order."""
    steps = graph.tensor(operator.inputs[3]).data if len(operator.inputs) == 4 else None
    options = operator.options
    assert isinstance(options, StridedSliceOptions)
    forward = steps is not None and bool((steps > 0).all())
    return forward and not options.new_axis_mask and not options.shrink_axis_mask


def _keeps_order(operator: Operator, graph: Graph) -> bool:
    axes = _permutation(operator, graph)
    return axes is not None and list(axes) == sorted(axes)


_RULES: dict[str, Callable[[Operator, Graph], bool]] = {
    **dict.fromkeys(RESHAPING, _always),
    "PAD": _pads_nothing,
    "PADV2": _pads_nothing,
    "CONCATENATION": _joins_one,
    "STRIDED_SLICE": _goes_forward,
    "TRANSPOSE": _keeps_order,
}
"""Where the shape stays: when the elements stay too."""


def _only_renames_axes(operator: Operator, graph: Graph) -> bool:
    """Whether the axes longer than 1 stay in their order."""
    if operator.kind != "TRANSPOSE" or len(operator.inputs) != 2:
        return False
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    axes = _permutation(operator, graph)
    if axes is None or source.is_constant or source.quantization != target.quantization:
        return False
    if source.quantization is not None and source.quantization.per_channel:
        return False
    long = [axis for axis in axes if source.shape[axis] != 1]
    return long == sorted(long)


def _permutation(operator: Operator, graph: Graph) -> tuple[int, ...] | None:
    data = graph.tensor(operator.inputs[1]).data
    return None if data is None else tuple(int(axis) for axis in np.ravel(data))
