"""`generate`: from a model to a firmware project on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from tinyml_tool.api.engine_choice import check_engine
from tinyml_tool.api.engines import ENGINES, EngineOptions
from tinyml_tool.api.model_reference import open_reference
from tinyml_tool.api.model_source import ModelSource, load_model
from tinyml_tool.api.preprocessing import plan_answer, plan_preprocessing, plan_sensor
from tinyml_tool.boards import Board, emulated_board, load_board, load_boards, with_arena_in
from tinyml_tool.compiler.footprint import (
    Footprint,
    arena_region,
    check_fits,
    fits,
    flash_on,
    footprint_estimate,
    ram_on,
    uses_on,
)
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.regions import RegionUse
from tinyml_tool.compiler.tflm_plan import AnyPlan, TflmPlan, cmsis_nn_problems
from tinyml_tool.compiler.unsupported import unsupported
from tinyml_tool.config import MlperfBenchmark, Optimize
from tinyml_tool.errors import InputError, ToolMissingError
from tinyml_tool.firmware.mlperf_files import check_mlperf
from tinyml_tool.firmware.project import project_files, write_project
from tinyml_tool.firmware.static_buffers import buffer_bytes
from tinyml_tool.firmware.vectors import GoldenVector
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.preprocess.plan import FeaturePlan
from tinyml_tool.preprocess.source_plan import SourcePlan
from tinyml_tool.preprocess.source_spec import SourceSpec
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.reference.reference import Reference
from tinyml_tool.toolchain.tflm_directory import CMSIS_NN, require_tflm
from tinyml_tool.verify.inputs import vectors as test_inputs

if TYPE_CHECKING:
    from tinyml_tool.api.tune import Tuning

GOLDEN_VECTORS = 10
GOLDEN_SEED = 0

Progress = Callable[[str], None]


def no_progress(stage: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, eq=False)
class Generated:
    """A project that was written."""

    project: Path
    name: str
    board: Board
    plan: AnyPlan
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    features: FeaturePlan | None = None
    """The preprocessing, where the model tells its features."""
    answer: AnswerPlan | None = None
    """What its outputs say, where that is told."""
    source: SourcePlan | None = None
    """What reads raw samples for it."""
    tuning: Tuning | None = None
    """The kernels that were measured, where that was asked for."""
    mlperf: MlperfBenchmark | None = None
    """The benchmark that the firmware answers."""

    @property
    def engine(self) -> str:
        """How the model became code."""
        return self.plan.engine

    @property
    def footprint(self) -> Footprint:
        """What the model takes on the board (estimated)."""
        return footprint_estimate(self.plan)

    @property
    def arena_region(self) -> str | None:
        """Name of the region of RAM that holds the arena; None on boards without regions."""
        memory = self.board.memory
        if not memory.regions:
            return None
        found = arena_region(self.plan, self.board, self._buffers)
        return found.name if found else next(r.name for r in memory.regions if memory.is_main(r))

    @property
    def regions(self) -> tuple[RegionUse, ...]:
        """What each region of RAM holds (estimated); none for boards without regions."""
        return uses_on(self.footprint, self.board, self._buffers)

    @property
    def _buffers(self) -> int:
        return buffer_bytes(self.mlperf, self.features, self.answer, self.source)

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "project": str(self.project),
            "name": self.name,
            "board": self.board.id,
            "engine": self.engine,
            "optimize": self.plan.optimize,
            "model_hash": self.plan.graph.model_hash,
            "arena_bytes": self.plan.arena_bytes,
            "arena_region": self.arena_region,
            "regions": [asdict(region) for region in self.regions],
            "features": None
            if self.features is None
            else {
                "sha256": self.features.hash,
                "ram_bytes": self.features.ram_bytes,
                "constant_bytes": self.features.constant_bytes,
            },
            "answer": None
            if self.answer is None
            else {"sha256": self.answer.hash, "ram_bytes": self.answer.ram_bytes},
            "source": None
            if self.source is None
            else {
                "kind": self.source.spec.kind,
                "about": self.source.comment,
                "ram_bytes": self.source.ram_bytes,
            },
            "tuning": None if self.tuning is None else self.tuning.to_json(),
            "files": list(self.files),
        }


def default_output(name: str, board: Board) -> Path:
    """Where a project goes if nobody says where."""
    return Path(f"{name}-{board.id}")


def golden_vectors(
    reference: Reference, inputs: Sequence[Sequence[NDArray[Any]]]
) -> list[GoldenVector]:
    """What the reference answers to `inputs`."""
    return [
        GoldenVector(f"vector {number}", tuple(vector), tuple(reference.run(vector)))
        for number, vector in enumerate(inputs)
    ]


def compile_for(
    source: ModelSource,
    board: Board,
    *,
    engine: str = Plan.engine,
    options: EngineOptions = EngineOptions(),  # noqa: B008 - frozen
    mlperf: MlperfBenchmark | None = None,
    features: FeaturePlan | None = None,
    answer: AnswerPlan | None = None,
    sensor: SourcePlan | None = None,
) -> AnyPlan:
    """Compile a model for a board, or plan its interpretation by TFLM.

    Without `options.arena_bytes`, TFLM's arena is as large as the reference needs it, and a
    margin.  Raises UnsupportedModelError with all reasons, DoesNotFitError with the numbers,
    InputError for an unknown pass or a model that is none for the benchmark `mlperf`,
    ToolMissingError where engine tflm has no reference to measure the arena with.
    """
    if mlperf is not None:
        check_mlperf(source.graph, mlperf)
    check_engine(engine)
    plan = ENGINES[engine](source, board, options)
    more_ram = buffer_bytes(mlperf, features, answer, sensor)
    check_fits(plan, board, load_boards().values(), more_ram=more_ram)
    return plan


def write_generated(
    source: ModelSource,
    plan: AnyPlan,
    *,
    board: Board,
    output: Path | None = None,
    name: str | None = None,
    force: bool = False,
    mlperf: MlperfBenchmark | None = None,
    reference: Reference | None = None,
    features: FeaturePlan | None = None,
    answer: AnswerPlan | None = None,
    sensor: SourcePlan | None = None,
    progress: Progress = no_progress,
) -> Generated:
    """Write the project of a compiled model; without `reference` it has no test vectors."""
    graph = source.graph
    vectors: list[GoldenVector] = []
    if reference is not None:
        progress("asking the reference for golden outputs")
        vectors = golden_vectors(reference, test_inputs(graph, GOLDEN_VECTORS, GOLDEN_SEED))
    name = name or graph.name
    project = output or default_output(name, board)
    progress(f"writing {project}")
    tflm, unready = _tflm_here(plan, board, project)
    files = project_files(
        plan,
        board,
        name=name,
        vectors=vectors,
        model=source.data,
        mlperf=mlperf,
        tflm=tflm,
        features=features,
        answer=answer,
        sensor=sensor,
    )
    kept = write_project(project, files, force=force)
    warnings = [f"{project / path}: your edited file was kept" for path in kept]
    warnings += unready
    if reference is None:
        warnings.append("the project has no test vectors: the reference is not installed")
    if board.is_real and not fits(footprint := footprint_estimate(plan), board):
        warnings.append(_too_large(footprint, board))
    return Generated(
        project,
        name,
        board,
        plan,
        tuple(files),
        tuple(warnings),
        features,
        answer,
        sensor,
        mlperf=mlperf,
    )


def _tflm_here(plan: AnyPlan, board: Board, project: Path) -> tuple[dict[str, str], list[str]]:
    """What is known of the TFLM to build with, and a warning where the build will miss it.

    Raises UnsupportedModelError for layers that its kernels refuse.
    """
    if not isinstance(plan, TflmPlan):
        return {}, []
    try:
        facts = require_tflm(emulated_board(board).core, project).facts
    except ToolMissingError as error:
        return {}, [f"it does not build yet: {error.message}; {error.hint}"]
    if facts["kernels"] == CMSIS_NN and (refused := cmsis_nn_problems(plan.graph)):
        raise unsupported(plan.graph.name, plan.engine, refused)
    return facts, []


def _too_large(footprint: Footprint, board: Board) -> str:
    memory = board.memory
    return (
        f"it will probably not fit {board.id}: with the framework about "
        f"{flash_on(footprint, board):,} of {memory.flash.size:,} bytes of flash and "
        f"{ram_on(footprint, board):,} of {memory.ram.size:,} bytes of RAM (estimated)"
    )


def generate(
    model: str | Path,
    *,
    board: str | Path | Board = "qemu-m4",
    engine: str = "aot",
    optimize: Optimize | None = None,
    output: str | Path | None = None,
    name: str | None = None,
    force: bool = False,
    arena_bytes: int | None = None,
    without_passes: Sequence[str] = (),
    mlperf: MlperfBenchmark | None = None,
    features: Mapping[str, Any] | FeatureSpec | None = None,
    answer: Mapping[str, Any] | AnswerSpec | None = None,
    source: Mapping[str, Any] | SourceSpec | None = None,
    tune: bool = False,
    arena_in: str | None = None,
    progress: Progress = no_progress,
) -> Generated:
    """Write a firmware project for `model` on `board`, complete or not at all.

    The project goes to `output` (by default `<model>-<board>` in the current folder); an existing
    one is kept unless `force`.  `optimize` is for engine aot: "size", "balanced" (the default) or
    "speed", and `without_passes` names graph passes that it leaves out.  `arena_bytes` is for
    engine tflm, in place of what the reference needs and a margin.  With `mlperf`, the firmware
    also answers MLPerf Tiny's runner.
    `features`, a spec or a table `[features]`, or else the one in the model's metadata, is how the
    firmware makes the model's input of raw samples.  `answer`, a spec or a table `[answer]`, or
    else the one in the model's metadata, is what its outputs say.  `source`, a spec or a table
    `[source]`, is where raw samples come from.  `tune` measures the kernels that each layer can run
    in the emulator, and takes those with the fewest instructions (engine aot).  `arena_in` names
    the board's region of RAM that holds the arena, by default the fastest that has room.
    Raises InvalidModelError, UnsupportedModelError with all reasons, DoesNotFitError with the
    numbers, UnknownBoardError, OutputError, and InputError where the model is none for `mlperf`.
    """
    chosen = with_arena_in(load_board(board), arena_in)
    progress("reading the model")
    loaded = load_model(model)
    progress("compiling the model")
    options = EngineOptions(optimize, arena_bytes, tuple(without_passes))
    preprocessing = plan_preprocessing(loaded, features)
    evaluation = plan_answer(loaded, answer)
    sensor = plan_sensor(source, preprocessing, chosen)
    tuning = tuned(loaded, chosen, engine, options, progress) if tune else None
    if tuning is not None:
        options = replace(options, bodies=tuning.bodies)
    plan = compile_for(
        loaded,
        chosen,
        engine=engine,
        options=options,
        mlperf=mlperf,
        features=preprocessing,
        answer=evaluation,
        sensor=sensor,
    )
    generated = write_generated(
        loaded,
        plan,
        board=chosen,
        output=Path(output) if output is not None else None,
        name=name,
        force=force,
        mlperf=mlperf,
        reference=open_reference(loaded),
        features=preprocessing,
        answer=evaluation,
        sensor=sensor,
        progress=progress,
    )
    return replace(generated, tuning=tuning)


def tuned(
    source: ModelSource, board: Board, engine: str, options: EngineOptions, progress: Progress
) -> Tuning:
    """Measure kernels for engine aot; InputError for others, which have kernels of their own."""
    # It generates and runs projects, so it stands on this module.
    from tinyml_tool.api.tune import tune

    if engine != Plan.engine:
        raise InputError(f"engine '{engine}' has kernels of its own", hint="leave --tune out")
    return tune(source, board, options, progress=progress)
