"""Engine tflm's counterpart of the compiler: what TFLM's interpreter must be given for a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.tflm_operators import TFLM_OPERATORS
from tinyml_tool.compiler.tflm_registrations import Registration, registrations_of
from tinyml_tool.compiler.tflm_release import UPSTREAM, TflmRelease
from tinyml_tool.compiler.unsupported import unsupported
from tinyml_tool.graph.checks import check
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.types import DType, Graph, Operator

ARENA_ALIGNMENT = 16

_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_WEIGHTS = {
    DType.FLOAT32: frozenset({DType.FLOAT32}),
    DType.INT8: frozenset({DType.INT8, DType.INT4}),
    DType.INT16: frozenset({DType.INT8}),
}
_RUNS_OTHER_PARTS = ("CALL_ONCE", "IF", "WHILE")
_HAS_STATE = ("ASSIGN_VARIABLE", "READ_VARIABLE", "VAR_HANDLE")

_REPLACE = "replace it in the model, or compute it outside the model"
_QUANTIZE_ALL = "convert the model with full-integer quantization, or without any"


@dataclass(frozen=True, eq=False)
class TflmPlan:
    """All that `firmware/` needs to write the C++ sources of a model that TFLM interprets."""

    engine: ClassVar[str] = "tflm"
    optimize: ClassVar[None] = None

    graph: Graph
    model: bytes
    """The `.tflite` file, which becomes part of the firmware as it is."""
    registrations: tuple[Registration, ...]
    arena_bytes: int
    release: TflmRelease
    arena_given: bool = False
    """Whether the user said how large the arena is; else it was measured, and has a margin."""


AnyPlan: TypeAlias = Plan | TflmPlan
"""What either engine makes of a model."""


def tflm_problems(graph: Graph, release: TflmRelease = UPSTREAM) -> tuple[Problem, ...]:
    """All reasons why engine tflm cannot run `graph`, as far as operators and types tell them.

    What TFLM itself checks beyond that, its interpreter on the host tells.
    """
    problems = list(check(graph))
    known = {problem.layer for problem in problems}
    for operator in graph.operators:
        for problem in _operator_problems(operator, graph, release):
            if problem.layer not in known:
                problems.append(problem)
    return tuple(problems)


def _operator_problems(operator: Operator, graph: Graph, release: TflmRelease) -> Iterator[Problem]:
    known = TFLM_OPERATORS.get(operator.kind)
    if known is None:
        yield Problem.of(operator, "TensorFlow Lite Micro has no such operator", _REPLACE)
        return
    if known.method in release.missing:
        yield Problem.of(operator, f"{release.name} has no such operator", _REPLACE)
        return
    if operator.kind in _RUNS_OTHER_PARTS:
        cause = "it runs another part of the model; only the main part can be deployed"
        yield Problem.of(operator, cause, "convert the model without control flow")
        return
    if operator.kind in _HAS_STATE:
        cause = "resource variables are not supported"
        yield Problem.of(operator, cause, "make the state an input and an output of the model")
        return
    place = known.data_input
    if known.types is None or place >= len(operator.inputs) or operator.inputs[place] < 0:
        return
    found = graph.tensors[operator.inputs[place]].dtype
    if found not in known.types:
        names = ", ".join(sorted(dtype.value for dtype in known.types))
        cause = f"{found.value} is not supported by TensorFlow Lite Micro ({names})"
        yield Problem.of(operator, cause, "convert the model with one of these types")
    elif operator.kind in _WITH_WEIGHTS:
        yield from _weight_problems(operator, graph, found)


def _weight_problems(operator: Operator, graph: Graph, data: DType) -> Iterator[Problem]:
    weights = graph.tensors[operator.inputs[1]].dtype
    if weights not in _WEIGHTS[data]:
        cause = f"{data.value} values with {weights.value} weights (a hybrid layer)"
        yield Problem.of(operator, f"{cause} are not supported", _QUANTIZE_ALL)


def cmsis_nn_problems(graph: Graph) -> tuple[Problem, ...]:
    """What TFLM's reference kernels run and its CMSIS-NN kernels refuse: a matter of the library.

    Source: upstream's kernels/cmsis_nn/fully_connected.cc takes one scale for int16 values.
    """
    return tuple(
        Problem.of(
            operator,
            "int16 values with a scale for each channel of dense weights: engine tflm refuses it "
            "where its library has CMSIS-NN's kernels (engine aot and TFLM's reference kernels "
            "run it)",
            "quantize again with --dense-per-tensor, or take engine aot",
        )
        for operator in graph.operators
        if operator.kind == "FULLY_CONNECTED" and _is_per_channel_int16(operator, graph)
    )


def _is_per_channel_int16(operator: Operator, graph: Graph) -> bool:
    source, weights = (graph.tensors[index] for index in operator.inputs[:2])
    stored = weights.quantization
    return source.dtype is DType.INT16 and stored is not None and stored.per_channel


def plan_for_tflm(
    graph: Graph,
    model: bytes,
    arena_bytes: int,
    release: TflmRelease = UPSTREAM,
    *,
    arena_given: bool = False,
) -> TflmPlan:
    """Plan `graph`, whose file is `model`, for TFLM with an arena of `arena_bytes`.

    `arena_given` where the user said so.

    Raises UnsupportedModelError whose `details` name every problem, layer by layer.
    """
    problems = tflm_problems(graph, release)
    if problems:
        raise unsupported(graph.name, "tflm", problems)
    arena = -(-arena_bytes // ARENA_ALIGNMENT) * ARENA_ALIGNMENT
    registrations = registrations_of(graph, release)
    return TflmPlan(graph, bytes(model), registrations, arena, release, arena_given)
