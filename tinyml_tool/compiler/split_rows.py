"""Chooses chains of convolutions to run in bands of rows, where that makes the arena smaller.

Exact: a row of output depends on the rows that its windows meet, and on nothing else; each band
computes with the same kernels and constants as the whole layer would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyml_tool.compiler.lowering import LOWERINGS
from tinyml_tool.compiler.memory import ALIGNMENT
from tinyml_tool.compiler.overlap import lead_of_steps
from tinyml_tool.compiler.placement import buffers_of
from tinyml_tool.compiler.plan import KernelCall, Layer, Plan, RowCall, RowStage
from tinyml_tool.compiler.row_bands import Band, Rows, bands, computed_rows
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.measure import macs, total_macs
from tinyml_tool.graph.options import Conv2DOptions
from tinyml_tool.graph.passes.edit import only_reader, with_tensors
from tinyml_tool.graph.passes.outcome import Change, Outcome
from tinyml_tool.graph.types import Graph, Operator, Tensor
from tinyml_tool.graph.windows import windows

_KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_LONGEST_CHAIN = 4
_MOST_BANDS = 24
_MOST_STAGES = 4
_LEAST_GAIN = 32
"""A stage must save one byte in so many of the arena, for it costs a little code."""
_MOST_EXTRA = 10
"""Rows computed twice may add one multiply-accumulate to so many of the model."""
_NEARLY = 64
"""Of arenas within one part in so many, that with the fewest additional multiply-accumulates."""


@dataclass(frozen=True, eq=False)
class Split:
    """A plan whose stages are chosen, and what to tell of them."""

    plan: Plan
    outcome: Outcome


@dataclass(frozen=True)
class _Candidate:
    chain: tuple[int, ...]
    bands: tuple[Band, ...]
    extra: int
    """Multiply-accumulates that the rows computed twice add."""
    bound: int = 0


def split_rows(plan: Plan, target: Target) -> Split:
    """Split chains, as long as the arena gets smaller; none where the preset is for speed."""
    changes: list[Change] = []
    if target.optimize == "speed":
        return Split(plan, Outcome(plan.graph))
    for _ in range(_MOST_STAGES):
        better = _better(plan, target)
        if better is None:
            break
        plan, made = better
        changes += made
    inner = (t for layer in plan.layers if layer.is_inner for t in layer.operator.outputs)
    marked = {t: replace(plan.graph.tensors[t], in_bands=True) for t in inner}
    graph = with_tensors(plan.graph, marked) if marked else plan.graph
    return Split(replace(plan, graph=graph), Outcome(graph, tuple(changes)))


def _better(plan: Plan, target: Target) -> tuple[Plan, list[Change]] | None:
    """The plan with one more stage, and what was done."""
    arena = plan.arena_bytes
    limit = arena - arena // _LEAST_GAIN
    found = [c for c in _candidates(plan) if c.bound <= limit]
    while found:
        lowest = min(candidate.bound for candidate in found)
        near = [c for c in found if c.bound <= lowest + lowest // _NEARLY]
        best = min(near, key=lambda c: (c.extra, c.bound, len(c.chain)))
        layers = _with_stage(plan, best, target)
        if layers is not None:
            memory = buffers_of(plan.graph, layers).place()
            if memory.arena_bytes <= limit:
                after = replace(plan, layers=layers, memory=memory)
                return after, _told(plan, best, arena, memory.arena_bytes)
        found = [c for c in found if c is not best]
    return None


def _told(plan: Plan, chosen: _Candidate, before: int, after: int) -> list[Change]:
    operators = [plan.graph.operators[index] for index in chosen.chain]
    last = operators[-1]
    share = 100 * chosen.extra / total_macs(plan.graph)
    made = [
        Change(
            op.origin,
            op.kind,
            f"in {len(chosen.bands)} bands of rows, with layer {last.origin}: compared there",
        )
        for op in operators[:-1]
    ]
    text = (
        f"in {len(chosen.bands)} bands of rows with what is before it: arena {before:,} -> "
        f"{after:,} bytes for {chosen.extra:,} MACs ({share:.1f} %) more"
    )
    return [*made, Change(last.origin, last.kind, text)]


def _candidates(plan: Plan) -> Iterator[_Candidate]:
    """Chains with each number of bands, whose tensors between are large enough to matter."""
    most = total_macs(plan.graph) // _MOST_EXTRA
    for chain in _chains(plan):
        axes = [windows(plan.graph.operators[index], plan.graph)[0] for index in chain]
        heights = {-(-axes[-1].output // count) for count in range(2, _MOST_BANDS + 1)}
        for height in sorted(heights):
            found = bands(axes, height) if height < axes[-1].output else None
            if found is None:
                continue
            extra = _extra(plan.graph, chain, found)
            if extra <= most:
                layers = _joined(plan, _sketch(plan, chain, found))
                yield _Candidate(chain, found, extra, buffers_of(plan.graph, layers).bound)


def _chains(plan: Plan) -> Iterator[tuple[int, ...]]:
    """Operators that each are the only reader of the one before, and none in a stage yet.

    Only those with a tensor between them that is live when the arena is fullest: others cannot
    help.
    """
    graph = plan.graph
    full = _fullest(plan)
    for layer in plan.layers:
        chain: tuple[int, ...] = ()
        operator: Operator | None = layer.operator
        while operator is not None and _fits(operator, plan):
            chain = (*chain, operator.index)
            between = {graph.operators[index].outputs[0] for index in chain[:-1]}
            if between & full:
                yield chain
            if len(chain) == _LONGEST_CHAIN:
                break
            reader = only_reader(graph, operator.outputs[0])
            operator = reader if reader and reader.inputs[0] == operator.outputs[0] else None


def _fullest(plan: Plan) -> set[int]:
    """Tensors that are live in the fullest steps."""
    buffers = buffers_of(plan.graph, plan.layers)
    at_step: dict[int, int] = {}
    for step in range(len(plan.layers)):
        live = {i for i, b in enumerate(buffers.buffers) if b.first <= step <= b.last}
        part = tuple(buffers.buffers[i] for i in sorted(live))
        place = {old: new for new, old in enumerate(sorted(live))}
        some = {
            (place[a], place[b]): lead
            for (a, b), lead in buffers.leads.items()
            if a in live and b in live
        }
        at_step[step] = replace(buffers, buffers=part, leads=some).bound
    most = max(at_step.values(), default=0)
    return {
        tensor
        for step, size in at_step.items()
        if size > most - most // _LEAST_GAIN
        for buffer in buffers.buffers
        if buffer.first <= step <= buffer.last
        for tensor in buffer.tensors
    }


def _fits(operator: Operator, plan: Plan) -> bool:
    layer, graph = plan.layers[operator.index], plan.graph
    if operator.kind not in _KINDS or layer.call is None or layer.stage is not None:
        return False
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    weights = graph.tensor(operator.inputs[1])
    return source.shape[0] == 1 and target.shape[0] == 1 and weights.is_constant


def _extra(graph: Graph, chain: Sequence[int], found: Sequence[Band]) -> int:
    extra = 0
    for place, index in enumerate(chain):
        operator = graph.operators[index]
        rows = graph.tensor(operator.outputs[0]).shape[1]
        extra += (computed_rows(found, place) - rows) * (macs(operator, graph) // rows)
    return extra


def _row_bytes(tensor: Tensor) -> int:
    return tensor.bytes // tensor.shape[1]


def _sketch(plan: Plan, chain: tuple[int, ...], found: tuple[Band, ...]) -> RowStage:
    """The stage without its calls: how much memory it takes, as far as shapes tell."""
    graph = plan.graph
    operators = [graph.operators[index] for index in chain]
    source, target = operators[0].inputs[0], operators[-1].outputs[0]
    places = _places(graph, operators, found)
    scratch = max((call.scratch_bytes for i in chain if (call := plan.layers[i].call)), default=0)
    return RowStage(
        layers=chain,
        source=source,
        target=target,
        bands=(),
        varying={},
        kernel_scratch=places[-1],
        scratch_bytes=places[-1] + scratch,
        lead=_lead(graph.tensor(source), graph.tensor(target), found),
    )


def _places(graph: Graph, operators: Sequence[Operator], found: Sequence[Band]) -> list[int]:
    """Where the tensors between lie in the scratch, and where the room behind them begins."""
    places = [0]
    for place, operator in enumerate(operators[:-1]):
        rows = max(band[place].output_count for band in found)
        size = rows * _row_bytes(graph.tensor(operator.outputs[0]))
        places.append(places[-1] + -(-size // ALIGNMENT) * ALIGNMENT)
    return places


def _lead(source: Tensor, target: Tensor, found: Sequence[Band]) -> int:
    """A band reads all its input before it writes its output: what later bands read must stay."""
    # A later band may begin above an earlier one's end, but never above its begin.
    later = [band[0].input_first for band in found[1:]]
    needed = np.array([*later, source.shape[1]], np.int64) * _row_bytes(source)
    written = np.array([band[-1].output_end for band in found], np.int64) * _row_bytes(target)
    return lead_of_steps(written, needed)


def _joined(plan: Plan, stage: RowStage, calls: Sequence[KernelCall] = ()) -> tuple[Layer, ...]:
    """The layers with a stage, each with the call of its first band where those are given."""
    layers = list(plan.layers)
    for place, index in enumerate(stage.layers):
        call = calls[place] if calls else layers[index].call
        layers[index] = replace(layers[index], stage=stage, call=call)
    return tuple(layers)


def _with_stage(plan: Plan, chosen: _Candidate, target: Target) -> tuple[Layer, ...] | None:
    """The layers with the stage lowered; None where bands of a layer need different kernels."""
    graph, chain = plan.graph, chosen.chain
    operators = [graph.operators[index] for index in chain]
    lowered: list[list[KernelCall]] = []
    varying: dict[int, tuple[str, ...]] = {}
    for place, operator in enumerate(operators):
        calls = _lowered(operator, [band[place] for band in chosen.bands], graph, target)
        names = _varying(calls)
        if names is None:
            return None
        lowered.append(calls)
        varying[operator.index] = names
    places = _places(graph, operators, chosen.bands)
    scratch = max(call.scratch_bytes for calls in lowered for call in calls)
    stage = replace(
        _sketch(plan, chain, chosen.bands),
        varying=varying,
        scratch_bytes=places[-1] + scratch,
        bands=tuple(
            tuple(
                _row_call(graph, operators, at, band[at], places, lowered[at][number], varying)
                for at in range(len(operators))
            )
            for number, band in enumerate(chosen.bands)
        ),
    )
    first = [replace(calls[0], scratch_bytes=0) for calls in lowered]
    return _joined(plan, stage, first)


def _row_call(
    graph: Graph,
    operators: Sequence[Operator],
    at: int,
    rows: Rows,
    places: Sequence[int],
    call: KernelCall,
    varying: dict[int, tuple[str, ...]],
) -> RowCall:
    operator = operators[at]
    source, target = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    last = at == len(operators) - 1
    params = dict(call.params)
    values = [params[name] for name in varying[operator.index]]
    assert all(isinstance(value, int) for value in values)
    return RowCall(
        layer=operator.index,
        first=rows.output_first,
        count=rows.output_count,
        input_offset=places[at - 1] if at else rows.input_first * _row_bytes(source),
        output_offset=rows.output_first * _row_bytes(target) if last else places[at],
        values=tuple(value for value in values if isinstance(value, int)),
    )


def _lowered(
    operator: Operator, rows: Sequence[Rows], graph: Graph, target: Target
) -> list[KernelCall]:
    """The call of each band; equal bands are lowered once."""
    known: dict[tuple[int, int, int], KernelCall] = {}
    calls = []
    for each in rows:
        key = each.input_count, each.output_count, each.pad
        if key not in known:
            call = _lower(operator, each, graph, target)
            if call is None:
                return []
            known[key] = call
        calls.append(known[key])
    return calls


def _lower(operator: Operator, rows: Rows, graph: Graph, target: Target) -> KernelCall | None:
    """The kernel for a layer of just these rows."""
    options = operator.options
    assert isinstance(options, Conv2DOptions)
    _, columns = windows(operator, graph)
    part = replace(operator, options=replace(options, pad_before=(rows.pad, columns.pad)))
    source, result = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    heights = {source.index: rows.input_count, result.index: rows.output_count}
    small = with_tensors(
        graph,
        {
            tensor.index: replace(tensor, shape=(1, heights[tensor.index], *tensor.shape[2:]))
            for tensor in (source, result)
        },
    )
    try:
        return LOWERINGS[operator.kind](part, small, target.of_layer(operator.origin))
    except UnsupportedOperatorError:
        return None


def _varying(calls: Sequence[KernelCall]) -> tuple[str, ...] | None:
    """Parameters that differ between calls; None where the calls differ in anything else."""
    if not calls:
        return None
    first = calls[0]
    names = [name for name, _ in first.params]
    for call in calls[1:]:
        if call.kernel != first.kernel or [name for name, _ in call.params] != names:
            return None
        if not _same_constants(call, first) or call.arguments != first.arguments:
            return None
    return tuple(
        name for at, name in enumerate(names) if len({call.params[at][1] for call in calls}) > 1
    )


def _same_constants(one: KernelCall, other: KernelCall) -> bool:
    pairs = list(zip(one.constants, other.constants, strict=False))
    return len(one.constants) == len(other.constants) and all(
        a.name == b.name and np.array_equal(a.values, b.values) for a, b in pairs
    )
