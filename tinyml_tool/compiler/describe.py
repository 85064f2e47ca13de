"""One line about a layer, for comments in generated C and for tables."""

from __future__ import annotations

from tinyml_tool.graph.options import Activation, Conv2DOptions, Pool2DOptions
from tinyml_tool.graph.types import Graph, Operator


def _shape(graph: Graph, tensor: int) -> str:
    shape = graph.tensors[tensor].shape
    batchless = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
    return "x".join(map(str, batchless)) or "scalar"


def _window(operator: Operator, graph: Graph) -> list[str]:
    match operator.options:
        case Conv2DOptions() as options:
            padding = options.padding.value
            height, width = graph.tensors[operator.inputs[1]].shape[1:3]
            dilated = (options.dilation_h, options.dilation_w) != (1, 1)
            dilation = [f"dilation {options.dilation_h}x{options.dilation_w}"] if dilated else []
            if options.pad_before is not None:
                padding = f"pad {options.pad_before[0]}x{options.pad_before[1]}"
        case Pool2DOptions() as options:
            height, width, dilation = options.filter_h, options.filter_w, []
            padding = options.padding.value
        case _:
            return []
    stride = f"stride {options.stride_h}x{options.stride_w}"
    return [f"window {height}x{width}", stride, *dilation, padding]


def describe(operator: Operator, graph: Graph) -> str:
    """E.g. "CONV_2D 49x10x1 -> 25x5x64, window 10x4, stride 2x2, same, relu"."""
    inputs = [t for t in operator.inputs if t >= 0 and not graph.tensors[t].is_constant]
    sources = ", ".join(_shape(graph, t) for t in inputs) or "constants"
    targets = ", ".join(_shape(graph, t) for t in operator.outputs)
    parts = [f"{operator.kind} {sources} -> {targets}", *_window(operator, graph)]
    activation = getattr(operator.options, "activation", Activation.NONE)
    if activation is not Activation.NONE:
        parts.append(activation.value)
    return ", ".join(parts)
