"""PAD in front of a convolution without padding becomes the convolution's own padding.

Exact because padding with the zero point adds nothing to the sums, as taps in padding add nothing.
Where SAME, over the input as it was before, gives as many positions and starts at the same
element, it is SAME: what that pads behind the last tap nobody reads. Else the convolution is told
its padding outright; then every window must meet an element of the input, as kernels count on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml_tool.graph.options import Conv2DOptions, Padding
from tinyml_tool.graph.passes.edit import only_reader, with_replaced, writers
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.types import DType, Graph, Operator
from tinyml_tool.graph.windows import Window, leading_pad, windows


def fold_pad(graph: Graph) -> Outcome:
    """Fold one layer after another."""
    changes: list[Change] = []
    for origin in [op.origin for op in graph.operators]:
        operator = next((op for op in graph.operators if op.origin == origin), None)
        if operator is None or not isinstance(operator.options, Conv2DOptions):
            continue
        pad = writers(graph).get(operator.inputs[0])
        if pad is None:
            continue
        options = _padded_options(graph, pad, operator, operator.options)
        if options is None:
            continue
        folded = replace(operator, inputs=(pad.inputs[0], *operator.inputs[1:]), options=options)
        graph = with_replaced(graph, {pad.index: None, operator.index: folded})
        text = f"padding of layer {operator.origin} {operator.kind}"
        changes.append(Change(pad.origin, pad.kind, text, removed=True))
    return Outcome(graph, tuple(changes))


def _padded_options(
    graph: Graph, pad: Operator, operator: Operator, options: Conv2DOptions
) -> Conv2DOptions | None:
    """Options with which the convolution does what both do; None where there are none."""
    if pad.kind not in ("PAD", "PADV2") or options.padding is not Padding.VALID:
        return None
    if options.pad_before is not None or only_reader(graph, pad.outputs[0]) is None:
        return None
    before = _margins_before(graph, pad)
    if before is None or not _pads_with_zero(graph, pad):
        return None
    unpadded = replace(operator, inputs=(pad.inputs[0], *operator.inputs[1:]))
    told = replace(options, pad_before=before)
    axes = windows(replace(unpadded, options=told), graph)
    if all(map(_is_same, axes)):
        return replace(options, padding=Padding.SAME)
    return told if all(map(_meets_input, axes)) else None


def _is_same(window: Window) -> bool:
    """Whether SAME gives this window as many positions, and starts where it does."""
    as_many = window.output == -(-window.size // window.stride)
    return as_many and window.pad == leading_pad(Padding.SAME, window)


def _meets_input(window: Window) -> bool:
    """Whether no position lies in padding alone."""
    return bool((window.indices() >= 0).any(axis=1).all())


def _margins_before(graph: Graph, pad: Operator) -> tuple[int, int] | None:
    """Rows above and columns on the left; None where PAD does more than that and their like."""
    margins, source = graph.tensor(pad.inputs[1]).data, graph.tensor(pad.inputs[0])
    if margins is None or margins.size != 8 or source.is_constant:
        return None
    (batch, rows, columns, channels) = np.reshape(margins, (4, 2))
    return None if batch.any() or channels.any() else (int(rows[0]), int(columns[0]))


def _pads_with_zero(graph: Graph, pad: Operator) -> bool:
    """Whether PAD fills with the zero point, and does not change the quantization."""
    source, target = graph.tensor(pad.inputs[0]), graph.tensor(pad.outputs[0])
    quantization = target.quantization
    if target.dtype is not DType.INT8 or quantization is None:
        return False
    if source.dtype is not target.dtype or source.quantization != quantization:
        return False
    if len(pad.inputs) < 3 or pad.inputs[2] < 0:
        return True
    value = graph.tensor(pad.inputs[2]).data
    return (
        value is not None and value.size == 1 and int(value.ravel()[0]) == quantization.zero_point
    )
