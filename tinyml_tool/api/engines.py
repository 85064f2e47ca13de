"""What each engine makes of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from tinyml_tool.api.engine_choice import check_preset
from tinyml_tool.api.model_source import ModelSource
from tinyml_tool.boards import Board, emulated_board
from tinyml_tool.compiler.compile import compile_rewritten
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.target import Bodies, Target, bodies_for
from tinyml_tool.compiler.tflm_arena import arena_for, arena_least
from tinyml_tool.compiler.tflm_plan import AnyPlan, TflmPlan, plan_for_tflm, tflm_problems
from tinyml_tool.compiler.tflm_release import TflmRelease, release_for
from tinyml_tool.compiler.unsupported import unsupported
from tinyml_tool.config import DEFAULT_OPTIMIZE, Optimize
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.manifest import Manifest
from tinyml_tool.graph.passes.rewrite import rewrite
from tinyml_tool.graph.types import Graph
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.tflm_directory import require_tflm


@dataclass(frozen=True)
class EngineOptions:
    """What the user says about the way from a model to code."""

    optimize: Optimize | None = None
    """Of engine aot: the preset to choose kernels by; None for the default."""
    arena_bytes: int | None = None
    """Of engine tflm; None where it is to be found out."""
    without_passes: tuple[str, ...] = ()
    """Of engine aot: names of graph passes to leave out."""
    bodies: Bodies = ()
    """Of engine aot: layers with the body that they take in place of the core's own."""


def _compiled(source: ModelSource, board: Board, options: EngineOptions) -> Plan:
    if options.arena_bytes is not None:
        raise InputError(
            "engine 'aot' computes its arena itself", hint="leave --arena and tflm.arena_bytes out"
        )
    preset = check_preset(Plan.engine, options.optimize) or DEFAULT_OPTIMIZE
    rewriting = rewrite(source.graph, options.without_passes)
    return compile_rewritten(rewriting, Target(board.core, preset, options.bodies))


def _interpreted(source: ModelSource, board: Board, options: EngineOptions) -> TflmPlan:
    check_preset(TflmPlan.engine, options.optimize)
    if options.without_passes:
        raise InputError("engine 'tflm' interprets the model as it is", hint="leave --no-pass out")
    graph, release, arena_bytes = source.graph, release_for(board), options.arena_bytes
    _check_supported(graph, release)
    if arena_bytes is not None and arena_bytes < (least := arena_least(graph)):
        raise InputError(
            f"an arena of {arena_bytes:,} bytes is too small for {graph.name}: TensorFlow Lite "
            f"Micro needs more than {least:,} bytes for it on any board",
            hint="leave --arena and tflm.arena_bytes out: then it is what the reference needs, and "
            "a margin",
        )
    given = arena_bytes is not None
    if arena_bytes is None:
        measured = TflmReference(source.data, graph.name).arena_bytes()
        arena_bytes = max(
            arena_for(graph, measured, each.core) for each in (board, emulated_board(board))
        )
    return plan_for_tflm(graph, source.data, arena_bytes, release, arena_given=given)


def require_for_build(engine: str, graph: Graph, board: Board, project: Path | None = None) -> None:
    """Raise ToolMissingError where what `engine` links is not there to build for the emulator.

    A model that `engine` cannot run anyway is told first, by UnsupportedModelError.
    """
    if engine == TflmPlan.engine:
        _check_supported(graph, release_for(board))
        require_tflm(emulated_board(board).core, project)


def _check_supported(graph: Graph, release: TflmRelease) -> None:
    if problems := tflm_problems(graph, release):
        raise unsupported(graph.name, TflmPlan.engine, problems)


def target_of(manifest: Manifest, board: Board) -> Target:
    """For what a project of engine aot was compiled.

    Raises InputError for bodies that this version does not know.
    """
    preset = check_preset(manifest.engine, cast("Optimize | None", manifest.optimize))
    bodies = {int(layer): body for layer, body in (manifest.bodies or {}).items()}
    if unknown := sorted(set(bodies.values()) - set(bodies_for(board.core))):
        raise InputError(
            f"the project has kernels '{unknown[0]}', which this version does not know for "
            f"{board.core.name}",
            hint="generate the project again with `tinyml generate`",
        )
    return Target(board.core, preset or DEFAULT_OPTIMIZE, tuple(bodies.items()))


class Engine(Protocol):
    """Makes code of a model for a board."""

    def __call__(self, source: ModelSource, board: Board, options: EngineOptions) -> AnyPlan:
        """Raises as `compile_for` does."""
        ...


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {Plan.engine: _compiled, TflmPlan.engine: _interpreted}
)
