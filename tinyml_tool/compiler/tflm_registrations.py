"""How the operators of a model are registered in TFLM's resolver: exactly those, for its types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyml_tool.compiler.tflm_operators import TFLM_OPERATORS
from tinyml_tool.compiler.tflm_release import UPSTREAM, TflmRelease
from tinyml_tool.graph.types import DType, Graph, Operator

_INT8, _INT16 = DType.INT8, DType.INT16

_HEADERS = {
    "ADD": "add.h",
    "AVERAGE_POOL_2D": "pooling.h",
    "BATCH_MATMUL": "batch_matmul.h",
    "CONV_2D": "conv.h",
    "DEPTHWISE_CONV_2D": "depthwise_conv.h",
    "FULLY_CONNECTED": "fully_connected.h",
    "MAXIMUM": "maximum_minimum.h",
    "MAX_POOL_2D": "pooling.h",
    "MINIMUM": "maximum_minimum.h",
    "MUL": "mul.h",
    "PAD": "pad.h",
    "SOFTMAX": "softmax.h",
    "SVDF": "svdf.h",
    "TRANSPOSE": "transpose.h",
    "TRANSPOSE_CONV": "transpose_conv.h",
}
"""Where the specialised registrations of a kind are declared."""


@dataclass(frozen=True)
class Special:
    """A registration for one choice of types.

    `inputs` are the types of the first inputs, in order: activations, and weights where there are.
    """

    name: str
    inputs: tuple[DType, ...]
    output: DType


_SPECIAL: dict[str, tuple[Special, ...]] = {
    "ADD": (
        Special("Register_ADD_INT8", (_INT8, _INT8), _INT8),
        Special("Register_ADD_INT16", (_INT16, _INT16), _INT16),
    ),
    "AVERAGE_POOL_2D": (
        Special("Register_AVERAGE_POOL_2D_INT8", (_INT8,), _INT8),
        Special("Register_AVERAGE_POOL_2D_INT16", (_INT16,), _INT16),
    ),
    "BATCH_MATMUL": (
        Special("Register_BATCH_MATMUL_INT8", (_INT8, _INT8), _INT8),
        Special("Register_BATCH_MATMUL_INT16", (_INT16, _INT16), _INT16),
    ),
    "CONV_2D": (
        Special("Register_CONV_2D_INT8", (_INT8, _INT8), _INT8),
        Special("Register_CONV_2D_INT16", (_INT16, _INT8), _INT16),
    ),
    "DEPTHWISE_CONV_2D": (
        Special("Register_DEPTHWISE_CONV_2D_INT8", (_INT8, _INT8), _INT8),
        Special("Register_DEPTHWISE_CONV_2D_INT16", (_INT16, _INT8), _INT16),
    ),
    "FULLY_CONNECTED": (
        Special("Register_FULLY_CONNECTED_INT8", (_INT8, _INT8), _INT8),
        Special("Register_FULLY_CONNECTED_INT16", (_INT16, _INT8), _INT16),
    ),
    "MAXIMUM": (Special("Register_MAXIMUM_INT8", (_INT8, _INT8), _INT8),),
    "MAX_POOL_2D": (
        Special("Register_MAX_POOL_2D_INT8", (_INT8,), _INT8),
        Special("Register_MAX_POOL_2D_INT16", (_INT16,), _INT16),
    ),
    "MINIMUM": (Special("Register_MINIMUM_INT8", (_INT8, _INT8), _INT8),),
    "MUL": (Special("Register_MUL_INT8", (_INT8, _INT8), _INT8),),
    "PAD": (Special("Register_PAD_INT8", (_INT8,), _INT8),),
    "SOFTMAX": (
        Special("Register_SOFTMAX_INT8", (_INT8,), _INT8),
        Special("Register_SOFTMAX_INT8_INT16", (_INT8,), _INT16),
        Special("Register_SOFTMAX_INT16", (_INT16,), _INT16),
    ),
    "SVDF": (Special("Register_SVDF_INT8", (_INT8, _INT8), _INT8),),
    "TRANSPOSE": (Special("Register_TRANSPOSE_INT8", (_INT8,), _INT8),),
    "TRANSPOSE_CONV": (Special("Register_TRANSPOSE_CONV_INT8", (DType.INT32, _INT8), _INT8),),
}

SPECIAL_REGISTRATIONS = {kind: (_HEADERS[kind], specials) for kind, specials in _SPECIAL.items()}
"""By kind of operator: the header that declares them, and the registrations."""


@dataclass(frozen=True)
class Registration:
    """One operator in the resolver."""

    kind: str
    """Its schema name, such as CONV_2D."""
    method: str
    """The resolver's method that adds it."""
    special: str | None = None
    """The registration for the model's types alone, which leaves the other kernels out of flash."""
    header: str | None = None
    """Below `tensorflow/lite/micro/kernels/`, what must be included for `special`."""


def _types(tensors: Iterable[int], graph: Graph) -> tuple[DType | None, ...]:
    return tuple(graph.tensors[t].dtype if t >= 0 else None for t in tensors)


def _fits(special: Special, operator: Operator, graph: Graph) -> bool:
    inputs = _types(operator.inputs, graph)
    outputs = _types(operator.outputs, graph)
    return inputs[: len(special.inputs)] == special.inputs and outputs == (special.output,)


def _registration(
    kind: str, operators: list[Operator], graph: Graph, release: TflmRelease
) -> Registration:
    method = TFLM_OPERATORS[kind].method
    header, specials = SPECIAL_REGISTRATIONS.get(kind, (None, ()))
    for special in specials:
        known = special.name not in release.missing
        if known and all(_fits(special, operator, graph) for operator in operators):
            return Registration(kind, method, special.name, header)
    return Registration(kind, method)


def registrations_of(graph: Graph, release: TflmRelease = UPSTREAM) -> tuple[Registration, ...]:
    """One registration for each kind of operator in `graph`, in the order of the kinds' names.

    A kind gets the specialised registration where all its operators have those types and `release`
    has it.  Every kind must be in TFLM_OPERATORS.
    """
    by_kind: dict[str, list[Operator]] = {}
    for operator in graph.operators:
        by_kind.setdefault(operator.kind, []).append(operator)
    return tuple(_registration(kind, by_kind[kind], graph, release) for kind in sorted(by_kind))
