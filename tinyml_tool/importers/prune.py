"""Drops operators, tensors and stored values that nothing needs any more."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema


def prune(model: schema.ModelT) -> list[str]:
    """Keep what the outputs depend on, and the inputs; the changes."""
    graph = model.subgraphs[0]
    model.subgraphs = [graph]
    dropped = _drop_dead_operators(graph)
    _drop_unused_tensors(graph)
    _drop_unused_buffers(model)
    return [f"dropped {dropped} operators that no output depends on"] if dropped else []


def _drop_dead_operators(graph: schema.SubGraphT) -> int:
    needed = {int(index) for index in graph.outputs}
    kept = []
    for operator in reversed(graph.operators):
        if any(int(index) in needed for index in operator.outputs):
            needed |= {int(index) for index in operator.inputs}
            kept.append(operator)
    dropped = len(graph.operators) - len(kept)
    graph.operators = kept[::-1]
    return dropped


def _drop_unused_tensors(graph: schema.SubGraphT) -> None:
    lists = [graph.inputs, graph.outputs]
    lists += [part for op in graph.operators for part in (op.inputs, op.outputs)]
    used = sorted({int(index) for part in lists for index in part if index >= 0})
    new = {old: place for place, old in enumerate(used)} | {-1: -1}
    graph.tensors = [graph.tensors[index] for index in used]
    graph.inputs = [new[int(index)] for index in graph.inputs]
    graph.outputs = [new[int(index)] for index in graph.outputs]
    for operator in graph.operators:
        operator.inputs = [new[int(index)] for index in operator.inputs]
        operator.outputs = [new[int(index)] for index in operator.outputs]


def _drop_unused_buffers(model: schema.ModelT) -> None:
    # Buffer 0 is the empty one of every tensor that is computed.
    empty = schema.BufferT()
    buffers, places = [empty], {0: 0}
    for tensor in model.subgraphs[0].tensors:
        if tensor.buffer not in places:
            stored = model.buffers[tensor.buffer]
            if stored.data is None or not len(stored.data):
                places[tensor.buffer] = 0
            else:
                places[tensor.buffer] = len(buffers)
                buffers.append(stored)
        tensor.buffer = places[tensor.buffer]
    model.buffers = buffers
