"""Graph to plan: choose a kernel for every operator, then place every tensor."""

from __future__ import annotations

from dataclasses import replace

from tinyml_tool.compiler.describe import describe
from tinyml_tool.compiler.less_scratch import with_less_scratch
from tinyml_tool.compiler.lowering import LOWERINGS
from tinyml_tool.compiler.placement import buffers_of
from tinyml_tool.compiler.plan import Layer, Plan
from tinyml_tool.compiler.split_rows import split_rows
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.tflm_plan import tflm_problems
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError, unsupported
from tinyml_tool.graph.checks import check, computes_in_floats
from tinyml_tool.graph.passes.rewrite import Rewriting, with_later_pass
from tinyml_tool.graph.passes.split_rows import SPLIT_ROWS
from tinyml_tool.graph.problem import Problem, layer_name
from tinyml_tool.graph.types import Graph, Operator

_OPEN_BATCH = "usually left over from an open batch size: convert the model with a batch of 1"
_FIXES = {"SHAPE": _OPEN_BATCH, "PACK": _OPEN_BATCH}


def _lower(operator: Operator, graph: Graph, target: Target) -> Layer:
    lowering = LOWERINGS.get(operator.kind)
    if lowering is None:
        raise UnsupportedOperatorError(
            "this operator is not supported by engine 'aot'",
            _FIXES.get(operator.kind, "replace it in the model, or compute it outside the model"),
        )
    for tensor in (*operator.inputs, *operator.outputs):
        if tensor >= 0 and len(graph.tensors[tensor].shape) > 6:
            raise UnsupportedOperatorError("tensors of more than 6 dimensions", "reshape them")
    call = lowering(operator, graph, target.of_layer(operator.origin))
    if call is None and graph.tensors[operator.inputs[0]].is_constant:
        raise UnsupportedOperatorError(
            "its input is a constant", "fold it into the next operator when converting the model"
        )
    return Layer(operator, call, describe(operator, graph))


def _float_problem(graph: Graph) -> Problem:
    fix = "quantize the model to int8 (full-integer post-training quantization)"
    if not tflm_problems(graph):
        fix += ", or use --engine tflm"
    return Problem(None, "the model is float: no layer works on quantized values", fix)


def problems_of(graph: Graph, target: Target) -> tuple[tuple[Problem, ...], tuple[Layer, ...]]:
    """All reasons why engine aot cannot run `graph` for `target`, and the layers it can run."""
    problems = list(check(graph))
    if computes_in_floats(graph):
        # Said once: that every layer is float tells nothing more.
        return (_float_problem(graph), *problems), ()
    layers = []
    known = {problem.layer for problem in problems}
    for operator in graph.operators:
        name = layer_name(operator)
        if name in known:
            continue
        try:
            layers.append(_lower(operator, graph, target))
        except UnsupportedOperatorError as error:
            problems.append(Problem(name, error.cause, error.fix))
    for tensor in graph.outputs:
        if graph.tensors[tensor].is_constant:
            problems.append(
                Problem(None, f"output {graph.tensors[tensor]} is a constant", "drop this output")
            )
    return tuple(problems), tuple(layers)


def compile_graph(graph: Graph, target: Target) -> Plan:
    """Compile `graph` for `target`.

    Raises UnsupportedModelError whose `details` name every problem, layer by layer.
    """
    problems, layers = problems_of(graph, target)
    if problems:
        raise unsupported(graph.name, "aot", problems)
    return plan_layers(graph, layers, target)


def compile_rewritten(rewriting: Rewriting, target: Target) -> Plan:
    """Compile what the passes left of a model.  Raises as `compile_graph` does."""
    return finish_rewritten(rewriting, compile_graph(rewriting.graph, target), target)


def finish_rewritten(rewriting: Rewriting, plan: Plan, target: Target) -> Plan:
    """The plan of a rewritten graph with layers split where that is switched on and pays."""
    if SPLIT_ROWS not in rewriting.passes:
        return replace(plan, rewriting=rewriting)
    split = split_rows(plan, target)
    return replace(split.plan, rewriting=with_later_pass(rewriting, SPLIT_ROWS, split.outcome))


def plan_layers(graph: Graph, layers: tuple[Layer, ...], target: Target) -> Plan:
    """Place all tensors of a graph whose every operator has been lowered."""
    memory = buffers_of(graph, layers).place()
    if target.optimize != "speed":
        layers, memory = with_less_scratch(graph, layers, memory)
    return Plan(graph, layers, memory, target.optimize, bodies=target.bodies)
