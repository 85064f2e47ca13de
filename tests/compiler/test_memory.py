"""The memory planner, judged by a checker that shares no code with it."""

import itertools
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import shared_model

from tinyml_tool.boards import load_board
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.in_place import in_place_pairs
from tinyml_tool.compiler.lifetimes import leads, lifetimes
from tinyml_tool.compiler.memory import Placer, Problem, arena_bound, plan_memory
from tinyml_tool.compiler.overlap import Overlap, overlaps
from tinyml_tool.compiler.plan import MemoryPlan
from tinyml_tool.compiler.target import Target
from tinyml_tool.graph.reader import read_model
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

MODELS = (
    "hello_world_int8.tflite",
    "kws_ref_model.tflite",
    "vww_96_int8.tflite",
    "pretrainedResnet_quant.tflite",
    "ad01_int8.tflite",
    "person_detect.tflite",
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, dict[int, int]]:
    """Random graphs of operators with 1 or 2 inputs and outputs, constants, and scratch."""
    tensors: list[Tensor] = []

    def tensor(constant: bool = False) -> int:
        size = draw(st.integers(1, 200))
        data = np.zeros(size, np.int8) if constant else None
        tensors.append(Tensor(len(tensors), "t", (size,), DType.INT8, None, data))
        return len(tensors) - 1

    inputs = [tensor() for _ in range(draw(st.integers(1, 2)))]
    made = list(inputs)
    operators = []
    for index in range(draw(st.integers(1, 12))):
        sources = draw(st.lists(st.sampled_from(made), min_size=1, max_size=2))
        sources += [tensor(constant=True)] if draw(st.booleans()) else [-1]
        outputs = [tensor() for _ in range(draw(st.integers(1, 2)))]
        made += outputs
        operators.append(Operator(index, "ADD", tuple(sources), tuple(outputs)))
    results = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))
    scratch = {op.index: draw(st.integers(0, 300)) for op in operators}
    graph = Graph("g", tuple(tensors), tuple(operators), tuple(inputs), tuple(results), "")
    return graph, scratch


def execute(
    graph: Graph,
    scratch: dict[int, int],
    plan: MemoryPlan,
    leads: dict[tuple[int, int], int] | None = None,
) -> None:
    """Run the graph on a pretended arena: every read must find what its producer wrote.

    `leads`: (input, output) tensors of one operator that may share bytes.
    """
    allowed = leads or {}
    arena: list[object] = [None] * plan.arena_bytes

    def write(allocation: tuple[int, int], mark: object) -> None:
        offset, size = allocation
        assert offset >= 0 and offset + size <= plan.arena_bytes
        assert offset % plan.alignment == 0
        arena[offset : offset + size] = [mark] * size

    def place(tensor: int) -> tuple[int, int]:
        return plan.tensors[tensor].offset, graph.tensors[tensor].bytes

    def read(tensor: int) -> None:
        if tensor >= 0 and not graph.tensors[tensor].is_constant:
            offset, size = place(tensor)
            assert set(arena[offset : offset + size]) == {("tensor", tensor)}

    def lies_in_front(source: int, output: int) -> bool:
        lead = plan.tensors[source].offset - plan.tensors[output].offset
        return lead >= allowed[source, output]

    for tensor in graph.inputs:
        write(place(tensor), ("tensor", tensor))
    for tensor in graph.inputs:
        read(tensor)
    for operator in graph.operators:
        if scratch[operator.index]:
            allocation = plan.scratch[operator.index]
            assert allocation.bytes == scratch[operator.index]
            write((allocation.offset, allocation.bytes), "scratch")
        for tensor in operator.inputs:
            read(tensor)
        for tensor in operator.outputs:
            write(place(tensor), ("tensor", tensor))
        for tensor in operator.outputs:
            read(tensor)
        for tensor in operator.inputs:
            overlapping = [o for o in operator.outputs if (tensor, o) in allowed]
            if not any(lies_in_front(tensor, o) for o in overlapping):
                read(tensor)
        if scratch[operator.index]:
            allocation = plan.scratch[operator.index]
            start = allocation.offset
            assert set(arena[start : start + allocation.bytes]) == {"scratch"}
    for tensor in graph.outputs:
        read(tensor)


@settings(deadline=None)  # the search takes as long as it takes
@given(graphs())
def test_no_live_tensor_is_ever_overwritten(case: tuple[Graph, dict[int, int]]) -> None:
    graph, scratch = case
    execute(graph, scratch, plan_memory(lifetimes(graph, [], scratch)))


@settings(deadline=None)  # the search takes as long as it takes
@given(graphs(), st.data())
def test_outputs_over_inputs_overwrite_nothing_that_is_needed(
    case: tuple[Graph, dict[int, int]], data: st.DataObject
) -> None:
    graph, scratch = case
    allowed = [
        Overlap(source, output, data.draw(st.integers(-graph.tensors[source].bytes, 200)))
        for operator in graph.operators
        for source in set(operator.inputs)
        for output in operator.outputs
        if source >= 0 and data.draw(st.booleans())
    ]
    buffers = lifetimes(graph, [], scratch)
    found = leads(buffers, allowed)
    plan = plan_memory(buffers, found)
    pairs = {
        (buffers[source].tensors[0], buffers[target].tensors[0]): lead
        for (source, target), lead in found.items()
    }
    execute(graph, scratch, plan, pairs)
    assert plan.arena_bytes >= arena_bound(buffers, found)
    assert plan.arena_bytes <= sum(-(-b.bytes // 16) * 16 for b in buffers)


@settings(deadline=None)  # the search takes as long as it takes
@given(graphs())
def test_the_arena_is_never_larger_than_all_buffers_side_by_side(
    case: tuple[Graph, dict[int, int]],
) -> None:
    graph, scratch = case
    buffers = lifetimes(graph, [], scratch)
    assert plan_memory(buffers).arena_bytes <= sum(-(-b.bytes // 16) * 16 for b in buffers)


@settings(deadline=None)  # the search takes as long as it takes
@given(graphs(), st.data())
def test_what_a_placer_knows_of_other_orders_changes_no_place(
    case: tuple[Graph, dict[int, int]], data: st.DataObject
) -> None:
    graph, scratch = case
    buffers = lifetimes(graph, [], scratch)
    allowed = [Overlap(op.inputs[0], op.outputs[0], 0) for op in graph.operators]
    problem = Problem(buffers, leads(buffers, allowed))
    used = Placer(problem)
    for _ in range(5):
        order = data.draw(st.permutations(range(len(buffers))))
        limit = data.draw(st.sampled_from([sys.maxsize, sum(b.bytes for b in buffers) // 2]))
        assert used.place(order, limit) == Placer(problem).place(order, limit)


@pytest.mark.parametrize("name", MODELS)
def test_no_live_tensor_of_a_real_model_is_ever_overwritten(name: str) -> None:
    graph = read_model(shared_model(name))
    plan = compile_graph(graph, Target(load_board("qemu-m4").core))
    scratch = {
        layer.operator.index: layer.call.scratch_bytes for layer in plan.layers if layer.call
    }
    reshaped = [
        (layer.operator.inputs[0], layer.operator.outputs[0])
        for layer in plan.layers
        if layer.call is None
    ]
    aliased = {target for _, target in reshaped}
    aliased |= {target for _, target in in_place_pairs(graph, plan.layers, reshaped)}
    without_aliases = replace(
        graph,
        operators=tuple(op for op in graph.operators if op.outputs[0] not in aliased),
    )
    assert aliased or name.startswith(("ad", "hello"))
    for operator in graph.operators:
        if operator.outputs[0] in aliased:
            source, target = operator.inputs[0], operator.outputs[0]
            assert plan.memory.tensors[source] == plan.memory.tensors[target]
            without_aliases = with_tensor_renamed(without_aliases, target, source)
    root = {op.outputs[0]: op.inputs[0] for op in graph.operators if op.outputs[0] in aliased}
    allowed = [
        overlap
        for layer in plan.layers
        if layer.call
        for overlap in overlaps(layer.operator, graph, layer.call)
    ]
    execute(
        without_aliases,
        {**dict.fromkeys(range(len(graph.operators)), 0), **scratch},
        plan.memory,
        {(root.get(o.input, o.input), o.output): o.lead for o in allowed},
    )


def with_tensor_renamed(graph: Graph, old: int, new: int) -> Graph:
    def renamed(tensors: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(new if tensor == old else tensor for tensor in tensors)

    operators = tuple(
        replace(op, inputs=renamed(op.inputs), outputs=renamed(op.outputs))
        for op in graph.operators
    )
    return replace(graph, operators=operators, outputs=renamed(graph.outputs))


def chain(sizes: list[int]) -> Graph:
    tensors = tuple(Tensor(i, "t", (size,), DType.INT8) for i, size in enumerate(sizes))
    operators = tuple(Operator(i, "RELU", (i,), (i + 1,)) for i in range(len(sizes) - 1))
    return Graph("chain", tensors, operators, (0,), (len(sizes) - 1,), "")


def test_a_chain_needs_its_largest_neighbours_only() -> None:
    sizes = [64, 256, 128, 512, 16]
    plan = plan_memory(lifetimes(chain(sizes), [], {}))
    assert plan.arena_bytes == max(a + b for a, b in itertools.pairwise(sizes))


def test_an_alias_shares_the_bytes_and_lengthens_the_life() -> None:
    graph = chain([64, 64, 64])
    plan = plan_memory(lifetimes(graph, [(0, 1)], {}))
    assert plan.tensors[0] == plan.tensors[1]
    assert plan.tensors[2].offset != plan.tensors[1].offset
