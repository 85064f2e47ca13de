"""Shape rules of operators that compute: fully connected, element by element, along axes."""

from __future__ import annotations

from itertools import zip_longest

from tinyml_tool.graph.options import FullyConnectedOptions, ReduceOptions
from tinyml_tool.graph.shapes.rule import (
    Rule,
    Shape,
    ShapeError,
    constant_integers,
    inside,
    needs_rank,
    text,
)
from tinyml_tool.graph.types import Graph, Operator


def fully_connected(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """Weights [C_OUT, C_IN]; the input is rows of C_IN values, whatever its rank."""
    source, weights = (graph.tensor(index) for index in operator.inputs[:2])
    needs_rank(weights, 2, "weights")
    units, depth = weights.shape
    if source.elements % depth:
        raise ShapeError(
            f"input {text(source.shape)} is not rows of {depth} values, "
            f"as weights {text(weights.shape)} need"
        )
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        bias = graph.tensor(operator.inputs[2])
        if bias.elements != units:
            raise ShapeError(
                f"bias {text(bias.shape)} has {bias.elements} values for {units} units"
            )
    rows = source.elements // depth
    output = graph.tensor(operator.outputs[0]).shape
    if (
        output
        and output[-1] == units
        and graph.tensor(operator.outputs[0]).elements == rows * units
    ):
        # Converters keep leading axes with and without the option keep_num_dims.
        return (output,)
    options = operator.options
    assert isinstance(options, FullyConnectedOptions)
    return ((*source.shape[:-1], units) if options.keep_num_dims else (rows, units),)


def broadcast(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """Two inputs, aligned at the last axis; a length of 1 is repeated."""
    first, second = (graph.tensor(index).shape for index in operator.inputs)
    lengths = []
    for one, other in zip_longest(reversed(first), reversed(second), fillvalue=1):
        if one != other and 1 not in (one, other):
            raise ShapeError(f"inputs {text(first)} and {text(second)} do not broadcast")
        lengths.append(max(one, other))
    return (tuple(reversed(lengths)),)


def elementwise(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """One input; the output has its shape."""
    return (graph.tensor(operator.inputs[0]).shape,)


def softmax(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """Along the last axis, so there must be one."""
    shape = graph.tensor(operator.inputs[0]).shape
    if not shape:
        raise ShapeError("input is a scalar, needs at least one axis")
    return (shape,)


def mean(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """Input and axes to average over."""
    axes = constant_integers(graph, operator.inputs[1], "axes")
    if axes is None:
        return None
    shape = graph.tensor(operator.inputs[0]).shape
    reduced = {inside(axis, len(shape)) for axis in axes}
    options = operator.options
    assert isinstance(options, ReduceOptions)
    if options.keep_dims:
        return (tuple(1 if axis in reduced else n for axis, n in enumerate(shape)),)
    return (tuple(n for axis, n in enumerate(shape) if axis not in reduced),)


def arg_max(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """Input and the axis that vanishes."""
    axes = constant_integers(graph, operator.inputs[1], "axis")
    if axes is None:
        return None
    shape = graph.tensor(operator.inputs[0]).shape
    if len(axes) != 1:
        raise ShapeError(f"the axis has {len(axes)} values, needs 1")
    axis = inside(axes[0], len(shape))
    return (shape[:axis] + shape[axis + 1 :],)


RULES: dict[str, Rule] = {
    "FULLY_CONNECTED": fully_connected,
    "MEAN": mean,
    "ARG_MAX": arg_max,
    "SOFTMAX": softmax,
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"), broadcast),
    **dict.fromkeys(
        (
            "LOGISTIC",
            "TANH",
            "RELU",
            "RELU6",
            "LEAKY_RELU",
            "HARD_SWISH",
            "QUANTIZE",
            "DEQUANTIZE",
        ),
        elementwise,
    ),
}
