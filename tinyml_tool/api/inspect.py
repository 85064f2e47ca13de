"""`inspect`: what a model consists of, which engine runs it, and which boards it fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinyml_tool.api.engine_choice import check_engine, check_preset
from tinyml_tool.api.model_source import ModelSource, load_model
from tinyml_tool.api.preprocessing import plan_answer, plan_preprocessing
from tinyml_tool.boards import Board, Core, load_board, load_boards
from tinyml_tool.compiler.compile import finish_rewritten, plan_layers, problems_of
from tinyml_tool.compiler.describe import describe
from tinyml_tool.compiler.footprint import (
    Footprint,
    fits,
    flash_on,
    footprint_estimate,
    ram_on,
    uses_on,
)
from tinyml_tool.compiler.plan import Layer, Plan
from tinyml_tool.compiler.regions import RegionUse
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.tflm_arena import arena_for
from tinyml_tool.compiler.tflm_plan import TflmPlan, plan_for_tflm, tflm_problems
from tinyml_tool.compiler.tflm_release import release_for
from tinyml_tool.config import DEFAULT_OPTIMIZE, Optimize
from tinyml_tool.errors import UnsupportedModelError
from tinyml_tool.graph.measure import (
    activation_bytes,
    macs,
    peak_activation_bytes,
    total_macs,
    total_weight_bytes,
    weight_bytes,
)
from tinyml_tool.graph.passes.outcome import Change
from tinyml_tool.graph.passes.rewrite import Cost, PassRecord, rewrite
from tinyml_tool.graph.problem import Problem, layer_name
from tinyml_tool.graph.types import Graph, Operator, Tensor
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.preprocess.spec import FeatureSpec


@dataclass(frozen=True)
class TensorFacts:
    """An input or output of the model."""

    name: str
    type: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None


@dataclass(frozen=True)
class LayerFacts:
    """One operator: what it does and costs, and whether each engine supports it."""

    index: int
    kind: str
    description: str
    input_types: tuple[str, ...]
    output_type: str
    output_shape: tuple[int, ...]
    macs: int
    weight_bytes: int
    activation_bytes: int
    aot: bool
    tflm: bool
    kernel: str | None
    """That engine aot chose for the board; None where it computes nothing or has none."""
    reason: str
    """Why that one; empty where the operator has only one."""


@dataclass(frozen=True)
class BoardFit:
    """Whether the firmware fits a board (estimated: nothing was built)."""

    board: str
    fits: bool
    flash_bytes: int
    flash_available: int
    ram_bytes: int
    ram_available: int
    """On boards with several regions of RAM, of all of them."""
    regions: tuple[RegionUse, ...] = ()
    """What each of them would hold; none for boards with one piece of RAM."""


@dataclass(frozen=True)
class Extra:
    """What a firmware has beside the model: in words, and its static RAM."""

    about: str
    ram_bytes: int


@dataclass(frozen=True)
class Inspection:
    """All that is known about a model without building it."""

    name: str
    model_hash: str
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    layers: tuple[LayerFacts, ...]
    macs: int
    weight_bytes: int
    peak_activation_bytes: int
    """A lower bound for any memory plan that does not overwrite inputs."""
    engine: str
    optimize: Optimize | None
    """The preset that engine aot chose kernels by."""
    core: str
    """For which kernels were chosen: the board's, or a Cortex-M4 where no board is named."""
    footprint: Footprint | None
    """None where the engine cannot run the model, or nothing can tell how much it takes."""
    boards: tuple[BoardFit, ...]
    problems: tuple[Problem, ...]
    """Why the engine cannot run it: all reasons at once."""
    features: Extra | None = None
    """What makes the model's input of raw samples; None where nothing tells that."""
    answer: Extra | None = None
    """What tells what its outputs say; None likewise."""
    passes: tuple[PassRecord, ...] = ()
    """What each graph pass did, in their order; none for engine tflm."""
    after_passes: Cost | None = None
    """Of what is compiled, where passes ran."""

    @property
    def supported(self) -> bool:
        """Whether the engine runs the model."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {**asdict(self), "supported": self.supported}


def _tensor(tensor: Tensor) -> TensorFacts:
    quantization = tensor.quantization
    single = quantization if quantization and not quantization.per_channel else None
    return TensorFacts(
        tensor.name,
        tensor.dtype.value,
        tensor.shape,
        single.scale if single else None,
        single.zero_point if single else None,
    )


def _layer(
    operator: Operator, graph: Graph, layer: Layer | None, removed: Change | None, *, tflm: bool
) -> LayerFacts:
    output = graph.tensors[operator.outputs[0]]
    call = layer.call if layer else None
    present = [graph.tensors[t] for t in operator.inputs if t >= 0]
    return LayerFacts(
        index=operator.index,
        kind=operator.kind,
        description=describe(operator, graph),
        input_types=tuple(tensor.dtype.value for tensor in present),
        output_type=output.dtype.value,
        output_shape=output.shape,
        macs=macs(operator, graph),
        weight_bytes=weight_bytes(operator, graph),
        activation_bytes=activation_bytes(operator, graph),
        aot=layer is not None or removed is not None,
        tflm=tflm,
        kernel=call.kernel if call else None,
        reason=f"removed: {removed.text}" if removed else call.reason if call else "",
    )


def _fit(footprint: Footprint, board: Board) -> BoardFit:
    return BoardFit(
        board.id,
        fits(footprint, board),
        flash_on(footprint, board),
        board.memory.flash.size,
        ram_on(footprint, board),
        board.memory.ram_total,
        uses_on(footprint, board),
    )


def _with_extras(footprint: Footprint, extras: Sequence[Extra]) -> Footprint:
    more = sum(extra.ram_bytes for extra in extras)
    return replace(footprint, input_and_answer_bytes=more, ram_bytes=footprint.ram_bytes + more)


def _arena(source: ModelSource, core: Core) -> int | None:
    """What TFLM needs for a model it can run; None where there is no reference to ask.

    Raises UnsupportedModelError where TFLM itself finds fault with the model.
    """
    # Only engine tflm asks it: others need not wait until it is loaded.
    from tinyml_tool.api.model_reference import open_reference

    reference = open_reference(source)
    if reference is None:
        return None
    return arena_for(source.graph, reference.arena_bytes(), core)


def _interpreted(
    source: ModelSource, board: Board, problems: tuple[Problem, ...]
) -> tuple[tuple[Problem, ...], Footprint | None]:
    """What engine tflm has against a model beside `problems`, and what it takes."""
    if problems:
        return problems, None
    try:
        arena = _arena(source, board.core)
    except UnsupportedModelError as error:
        return (Problem(None, error.message, error.hint or ""),), None
    if arena is None:
        return (), None
    plan = plan_for_tflm(source.graph, source.data, arena, release_for(board))
    return (), footprint_estimate(plan)


def inspect(
    model: str | Path,
    *,
    board: str | Path | Board | None = None,
    engine: str = Plan.engine,
    optimize: Optimize | None = None,
    without_passes: Sequence[str] = (),
    features: Mapping[str, Any] | FeatureSpec | None = None,
    answer: Mapping[str, Any] | AnswerSpec | None = None,
) -> Inspection:
    """Inspect a `.tflite` file for `engine`, for one board or for all.

    Layers and costs are the model's own; `passes` tells what engine aot makes of them, and the
    footprint is that of the outcome, with the RAM of `features` and `answer`, tables or specs, or
    else those in the model.  Raises InvalidModelError for a file that is not a sound `.tflite`,
    InputError for an unknown pass, and specs that are wrong or do not suit the model.  Whatever
    else is wrong is told in `problems`.
    """
    check_engine(engine)
    preset = check_preset(engine, optimize)
    source = load_model(model)
    graph = source.graph
    made, told = plan_preprocessing(source, features), plan_answer(source, answer)
    boards = [load_board(board)] if board is not None else list(load_boards().values())
    target = boards[0] if board is not None else load_board("qemu-m4")
    goal = Target(target.core, preset or DEFAULT_OPTIMIZE)
    rewriting = rewrite(graph, without_passes)
    problems, layers = problems_of(rewriting.graph, goal)
    lowered = {layer.operator.origin: layer for layer in layers}
    removed = {change.layer: change for change in rewriting.removed}
    unknown = tflm_problems(graph, release_for(target))
    refused = {problem.layer for problem in unknown}
    if engine == TflmPlan.engine:
        problems, footprint = _interpreted(source, target, unknown)
    else:
        footprint = None
        if not problems:
            plan = plan_layers(rewriting.graph, layers, goal)
            plan = finish_rewritten(rewriting, plan, goal)
            rewriting = plan.rewriting or rewriting
            lowered = {layer.operator.origin: layer for layer in plan.layers}
            footprint = footprint_estimate(plan)
    extras = (
        Extra(made.comment, made.ram_bytes) if made else None,
        Extra(told.about, told.ram_bytes) if told else None,
    )
    if footprint is not None:
        footprint = _with_extras(footprint, [extra for extra in extras if extra is not None])
    compiled = engine != TflmPlan.engine
    return Inspection(
        name=graph.name,
        model_hash=graph.model_hash,
        inputs=tuple(_tensor(graph.tensors[t]) for t in graph.inputs),
        outputs=tuple(_tensor(graph.tensors[t]) for t in graph.outputs),
        layers=tuple(
            _layer(
                operator,
                graph,
                lowered.get(operator.index),
                removed.get(operator.index),
                tflm=layer_name(operator) not in refused,
            )
            for operator in graph.operators
        ),
        macs=total_macs(graph),
        weight_bytes=total_weight_bytes(graph),
        peak_activation_bytes=peak_activation_bytes(graph),
        engine=engine,
        optimize=preset,
        core=target.core.name,
        footprint=footprint,
        boards=tuple(_fit(footprint, each) for each in boards) if footprint else (),
        problems=problems,
        features=extras[0],
        answer=extras[1],
        passes=rewriting.records if compiled else (),
        after_passes=rewriting.after if compiled else None,
    )
