"""Follows tensors through the operators: who writes what, and whether that is in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyml_tool.graph.problem import Problem, layer_name
from tinyml_tool.graph.types import Operator, Tensor

CONVERT_AGAIN = "the file is damaged or was edited: convert the model again"


@dataclass(frozen=True)
class Dataflow:
    """The parts of a subgraph before they are known to fit together."""

    tensors: Sequence[Tensor]
    operators: Sequence[Operator]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def index_problems(flow: Dataflow) -> Iterator[Problem]:
    """Tensor indices that do not exist; -1 stands for an absent optional input."""
    count = len(flow.tensors)
    for operator in flow.operators:
        for place, index in enumerate(operator.inputs):
            if not -1 <= index < count:
                cause = f"input {place} is tensor {index} of {count}"
                yield Problem.of(operator, cause, CONVERT_AGAIN)
        for place, index in enumerate(operator.outputs):
            if not 0 <= index < count:
                cause = f"output {place} is tensor {index} of {count}"
                yield Problem.of(operator, cause, CONVERT_AGAIN)
    for role, indices in (("input", flow.inputs), ("output", flow.outputs)):
        for place, index in enumerate(indices):
            if not 0 <= index < count:
                cause = f"{role} {place} of the model is tensor {index} of {count}"
                yield Problem(None, cause, CONVERT_AGAIN)


def order_problems(flow: Dataflow) -> Iterator[Problem]:
    """Tensors written twice, read too early or never written, and cycles.

    All indices must exist.
    """
    yield from _repeated_inputs(flow)
    constants = {tensor.index for tensor in flow.tensors if tensor.is_constant}
    writers: dict[int, Operator] = {}
    for operator in flow.operators:
        for index in operator.outputs:
            cause = None
            if index in writers:
                cause = f"which {layer_name(writers[index])} writes already"
            elif index in constants:
                cause = "which is a constant"
            elif index in flow.inputs:
                cause = "which is an input of the model"
            if cause:
                yield Problem.of(operator, f"writes tensor {index}, {cause}", CONVERT_AGAIN)
            writers.setdefault(index, operator)
    ready = constants.union(flow.inputs, (t.index for t in flow.tensors if t.is_variable))
    looping = _operators_in_cycles(flow, writers, ready)
    for operator in flow.operators:
        for index in dict.fromkeys(operator.inputs):
            if index >= 0 and index not in ready:
                cause = _why_not_readable(operator, writers.get(index), looping)
                yield Problem.of(operator, f"reads tensor {index}, {cause}", CONVERT_AGAIN)
        ready.update(operator.outputs)
    for place, index in enumerate(flow.outputs):
        if index not in ready:
            cause = f"output {place} of the model, tensor {index}, is never written"
            yield Problem(None, cause, CONVERT_AGAIN)


def _repeated_inputs(flow: Dataflow) -> Iterator[Problem]:
    seen: set[int] = set()
    for place, index in enumerate(flow.inputs):
        if index in seen:
            cause = f"input {place} of the model, tensor {index}, is an input already"
            yield Problem(None, cause, CONVERT_AGAIN)
        elif flow.tensors[index].is_constant:
            cause = f"input {place} of the model, tensor {index}, is a constant"
            yield Problem(None, cause, CONVERT_AGAIN)
        seen.add(index)


def _why_not_readable(reader: Operator, writer: Operator | None, looping: set[int]) -> str:
    if writer is None:
        return "which nothing writes"
    if {reader.index, writer.index} <= looping:
        return f"which {layer_name(writer)} writes: the operators form a cycle"
    return f"which {layer_name(writer)} writes only later"


def _operators_in_cycles(flow: Dataflow, writers: dict[int, Operator], given: set[int]) -> set[int]:
    """Indices of operators that wait for each other, or for such operators."""
    waits_for: dict[int, set[int]] = {}
    wanted_by: dict[int, list[int]] = {operator.index: [] for operator in flow.operators}
    for operator in flow.operators:
        needed = {writers[i].index for i in operator.inputs if i in writers and i not in given}
        waits_for[operator.index] = needed
        for other in needed:
            wanted_by[other].append(operator.index)
    free = [index for index, needed in waits_for.items() if not needed]
    while free:
        done = free.pop()
        for index in wanted_by[done]:
            waits_for[index].discard(done)
            if not waits_for[index]:
                free.append(index)
        del waits_for[done]
    return set(waits_for)
