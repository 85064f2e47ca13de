"""How many inputs and outputs an operator must have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyml_tool.graph.dataflow import CONVERT_AGAIN
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.types import Operator


@dataclass(frozen=True)
class Arity:
    """Numbers of inputs and outputs; None for no upper limit."""

    least_inputs: int
    most_inputs: int | None
    most_outputs: int | None = 1
    optional: int | None = None
    """The input that may be absent (-1)."""


_WITH_BIAS = Arity(2, 3, optional=2)
_ONE = Arity(1, 1)
_TWO = Arity(2, 2)

_ARITIES = {
    "CONV_2D": _WITH_BIAS,
    "DEPTHWISE_CONV_2D": _WITH_BIAS,
    "FULLY_CONNECTED": _WITH_BIAS,
    "AVERAGE_POOL_2D": _ONE,
    "MAX_POOL_2D": _ONE,
    "ADD": _TWO,
    "SUB": _TWO,
    "MUL": _TWO,
    "PAD": _TWO,
    "PADV2": Arity(3, 3),
    "MEAN": _TWO,
    "RESHAPE": Arity(1, 2),
    "SQUEEZE": _ONE,
    "EXPAND_DIMS": _TWO,
    "CONCATENATION": Arity(1, None),
    "SOFTMAX": _ONE,
    "LOGISTIC": _ONE,
    "TANH": _ONE,
    "RELU": _ONE,
    "RELU6": _ONE,
    "LEAKY_RELU": _ONE,
    "HARD_SWISH": _ONE,
    "QUANTIZE": _ONE,
    "DEQUANTIZE": _ONE,
    "MAXIMUM": _TWO,
    "MINIMUM": _TWO,
    "TRANSPOSE": _TWO,
    "STRIDED_SLICE": Arity(4, 4),
    "SPLIT": Arity(2, 2, most_outputs=None),
    "ARG_MAX": _TWO,
    "RESIZE_NEAREST_NEIGHBOR": _TWO,
}


def arity_problems(operator: Operator) -> Iterator[Problem]:
    """Inputs and outputs that are missing or too many. Kinds not known here pass."""
    arity = _ARITIES.get(operator.kind)
    if arity is None:
        return
    count = len(operator.inputs)
    if not arity.least_inputs <= count <= (arity.most_inputs or count):
        needed = _range(arity.least_inputs, arity.most_inputs)
        yield Problem.of(operator, f"has {count} inputs, needs {needed}", CONVERT_AGAIN)
    for place, index in enumerate(operator.inputs):
        if index < 0 and place != arity.optional:
            yield Problem.of(operator, f"input {place} is absent", CONVERT_AGAIN)
    outputs = len(operator.outputs)
    if not 1 <= outputs <= (arity.most_outputs or max(outputs, 1)):
        needed = _range(1, arity.most_outputs)
        yield Problem.of(operator, f"has {outputs} outputs, needs {needed}", CONVERT_AGAIN)


def _range(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least}"
    return str(least) if least == most else f"{least} to {most}"
