"""Which layers the passes on channels understand: int8 layers of the usual forms, batch 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyml_tool.graph.options import Activation, ConcatenationOptions, FullyConnectedOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

DENSE = frozenset(("CONV_2D", "FULLY_CONNECTED"))
"""Every output channel is a weighted sum of all input channels."""
RESHAPING = frozenset(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"))
_WEIGHTED = DENSE | {"DEPTHWISE_CONV_2D"}
_POOLING = frozenset(("AVERAGE_POOL_2D", "MAX_POOL_2D"))
PAIRWISE = frozenset(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"))
"""Every output element comes from one element of each input."""
_BYTEWISE = frozenset(("RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "LOGISTIC", "TANH"))


def is_plain(operator: Operator, graph: Graph) -> bool:
    """Whether the operator's channels can be told apart, and its arithmetic is the int8 one."""
    has_form = _FORMS.get(operator.kind)
    if has_form is None or len(operator.outputs) != 1 or operator.inputs[0] < 0:
        return False
    tensors = (*_data_inputs(operator), operator.outputs[0])
    return all(_is_int8_value(graph.tensor(t)) for t in tensors) and has_form(operator, graph)


def _data_inputs(operator: Operator) -> tuple[int, ...]:
    if operator.kind in PAIRWISE or operator.kind == "CONCATENATION":
        return operator.inputs
    return operator.inputs[:1]


def _is_int8_value(tensor: Tensor) -> bool:
    quantization = tensor.quantization
    return (
        tensor.dtype is DType.INT8
        and not tensor.is_constant
        and not tensor.is_variable
        and len(tensor.shape) > 1
        and tensor.shape[0] == 1
        and quantization is not None
        and len(quantization.scales) == 1
    )


def _has_plain_weights(operator: Operator, graph: Graph) -> bool:
    weights, source = graph.tensor(operator.inputs[1]), graph.tensor(operator.inputs[0])
    if weights.dtype not in (DType.INT8, DType.INT4):
        return False
    if weights.data is None or weights.quantization is None:
        return False
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        bias = graph.tensor(operator.inputs[2])
        if bias.dtype is not DType.INT32 or bias.data is None:
            return False
    if operator.kind == "FULLY_CONNECTED":
        options = operator.options
        assert isinstance(options, FullyConnectedOptions)
        one_row = source.elements == weights.shape[-1] == source.shape[-1]
        return one_row and not options.shuffled_weights
    if any(weights.quantization.zero_points):
        return False
    return operator.kind != "CONV_2D" or weights.shape[3] == source.shape[3]


def _has_one_shape(operator: Operator, graph: Graph) -> bool:
    shapes = {graph.tensor(index).shape for index in (*operator.inputs, *operator.outputs)}
    return len(shapes) == 1


def _keeps_channels(operator: Operator, graph: Graph) -> bool:
    """Whether the output's last axis is the input's, or the input's with all before it."""
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    return target.shape[-1] in (source.shape[-1], source.elements)


def _joins_channels(operator: Operator, graph: Graph) -> bool:
    """Whether tensors of one quantization are joined along the last axis."""
    options, target = operator.options, graph.tensor(operator.outputs[0])
    assert isinstance(options, ConcatenationOptions)
    same = all(graph.tensor(t).quantization == target.quantization for t in operator.inputs)
    along_channels = options.axis in (-1, len(target.shape) - 1)
    return same and along_channels and options.activation is Activation.NONE


def mean_axes(operator: Operator, graph: Graph) -> tuple[int, ...] | None:
    """The axes that MEAN averages over; None where the channels are among them or all stay."""
    axes, source = graph.tensor(operator.inputs[1]), graph.tensor(operator.inputs[0])
    rank = len(source.shape)
    if axes.data is None or axes.dtype is not DType.INT32:
        return None
    chosen = sorted({int(axis) % rank for axis in np.ravel(axes.data)})
    if not chosen or rank - 1 in chosen:
        return None
    return tuple(chosen)


def _has_mean_axes(operator: Operator, graph: Graph) -> bool:
    return mean_axes(operator, graph) is not None


def _always(operator: Operator, graph: Graph) -> bool:
    return True


_FORMS: dict[str, Callable[[Operator, Graph], bool]] = {
    **dict.fromkeys(_WEIGHTED, _has_plain_weights),
    **dict.fromkeys(_POOLING | _BYTEWISE, _always),
    **dict.fromkeys(PAIRWISE, _has_one_shape),
    **dict.fromkeys(RESHAPING, _keeps_channels),
    "MEAN": _has_mean_axes,
    "CONCATENATION": _joins_channels,
}
"""What must hold of each kind, beside the types of its tensors."""
