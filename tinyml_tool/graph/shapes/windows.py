"""Shape rules of operators that slide a window: convolutions and pools."""

from __future__ import annotations

from tinyml_tool.graph.options import Conv2DOptions, Padding, Pool2DOptions
from tinyml_tool.graph.shapes.rule import Rule, Shape, ShapeError, needs_rank, text
from tinyml_tool.graph.types import Graph, Operator


def conv_2d(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """Input NHWC and weights [C_OUT, HK, WK, C_IN / groups]; the bias has C_OUT values."""
    source, weights = (graph.tensor(index) for index in operator.inputs[:2])
    needs_rank(source, 4, "input")
    needs_rank(weights, 4, "weights")
    channels_out, _, _, channels_in = weights.shape
    if source.shape[3] % channels_in:
        raise ShapeError(
            f"input {text(source.shape)} has {source.shape[3]} channels, "
            f"weights {text(weights.shape)} are for a divisor of that"
        )
    groups = source.shape[3] // channels_in
    if channels_out % groups:
        raise ShapeError(f"{channels_out} output channels do not divide into {groups} groups")
    _bias(operator, graph, channels_out)
    return (_convolved(operator, graph),)


def depthwise_conv_2d(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """Input NHWC and weights [1, HK, WK, C_IN * multiplier]."""
    source, weights = (graph.tensor(index) for index in operator.inputs[:2])
    needs_rank(source, 4, "input")
    needs_rank(weights, 4, "weights")
    options = operator.options
    assert isinstance(options, Conv2DOptions)
    if weights.shape[0] != 1 or weights.shape[3] != source.shape[3] * options.depth_multiplier:
        raise ShapeError(
            f"weights {text(weights.shape)} do not fit {source.shape[3]} input channels "
            f"with depth multiplier {options.depth_multiplier}"
        )
    _bias(operator, graph, weights.shape[3])
    return (_convolved(operator, graph),)


def pool_2d(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """Input NHWC; the channels stay."""
    source = graph.tensor(operator.inputs[0])
    needs_rank(source, 4, "input")
    options = operator.options
    assert isinstance(options, Pool2DOptions)
    _at_least_one("strides", options.stride_h, options.stride_w)
    _at_least_one("filter", options.filter_h, options.filter_w)
    batch, height, width, channels = source.shape
    height = _slid(height, options.filter_h, options.stride_h, options.padding)
    width = _slid(width, options.filter_w, options.stride_w, options.padding)
    return ((batch, height, width, channels),)


def _convolved(operator: Operator, graph: Graph) -> Shape:
    source, weights = (graph.tensor(index) for index in operator.inputs[:2])
    options = operator.options
    assert isinstance(options, Conv2DOptions)
    _at_least_one("strides", options.stride_h, options.stride_w)
    _at_least_one("dilation", options.dilation_h, options.dilation_w)
    reach_h = (weights.shape[1] - 1) * options.dilation_h + 1
    reach_w = (weights.shape[2] - 1) * options.dilation_w + 1
    if options.pad_before is not None:
        return graph.tensor(operator.outputs[0]).shape
    height = _slid(source.shape[1], reach_h, options.stride_h, options.padding)
    width = _slid(source.shape[2], reach_w, options.stride_w, options.padding)
    is_depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    channels = weights.shape[3] if is_depthwise else weights.shape[0]
    return (source.shape[0], height, width, channels)


def _slid(length: int, window: int, stride: int, padding: Padding) -> int:
    """Number of positions of a window along an axis."""
    if padding is Padding.SAME:
        return -(-length // stride)
    if window > length:
        raise ShapeError(f"a window of {window} does not fit into {length} without padding")
    return (length - window) // stride + 1


def _at_least_one(what: str, height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise ShapeError(f"{what} {height}x{width} must be at least 1x1")


def _bias(operator: Operator, graph: Graph, channels: int) -> None:
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return
    bias = graph.tensor(operator.inputs[2])
    if bias.elements != channels:
        raise ShapeError(
            f"bias {text(bias.shape)} has {bias.elements} values for {channels} output channels"
        )


RULES: dict[str, Rule] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "AVERAGE_POOL_2D": pool_2d,
    "MAX_POOL_2D": pool_2d,
}
