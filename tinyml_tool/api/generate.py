"""`generate`: from a model to a firmware project on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tinyml_tool.api.model_source import ModelSource, load_model
from tinyml_tool.boards import Board, load_board, load_boards
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.footprint import Footprint, check_fits, footprint_estimate
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.errors import ToolMissingError
from tinyml_tool.firmware.project import project_files, write_project
from tinyml_tool.firmware.vectors import GoldenVector
from tinyml_tool.reference.reference import Reference
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.inputs import vectors as test_inputs

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
    engine: str
    plan: Plan
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def footprint(self) -> Footprint:
        """What the model takes on the board (estimated)."""
        return footprint_estimate(self.plan)

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "project": str(self.project),
            "name": self.name,
            "board": self.board.id,
            "engine": self.engine,
            "model_hash": self.plan.graph.model_hash,
            "arena_bytes": self.plan.memory.arena_bytes,
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


def compile_for(source: ModelSource, board: Board) -> Plan:
    """Compile a model for a board.

    Raises UnsupportedModelError with all reasons, DoesNotFitError with the numbers.
    """
    plan = compile_graph(source.graph, board.core)
    check_fits(plan, board, load_boards().values())
    return plan


def write_generated(
    source: ModelSource,
    plan: Plan,
    *,
    board: Board,
    engine: str = "aot",
    output: Path | None = None,
    name: str | None = None,
    force: bool = False,
    reference: Reference | None = None,
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
    files = project_files(plan, board, name=name, engine=engine, vectors=vectors, model=source.data)
    kept = write_project(project, files, force=force)
    warnings = [f"{project / path}: your edited file was kept" for path in kept]
    if reference is None:
        warnings.append("the project has no test vectors: the reference is not installed")
    return Generated(project, name, board, engine, plan, tuple(files), tuple(warnings))


def open_reference(source: ModelSource) -> TflmReference | None:
    """The reference of a model, or None where it is not installed."""
    try:
        return TflmReference(source.data, source.graph.name)
    except ToolMissingError:
        return None


def generate(
    model: str | Path,
    *,
    board: str | Path | Board = "qemu-m4",
    engine: str = "aot",
    output: str | Path | None = None,
    name: str | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> Generated:
    """Write a firmware project for `model` on `board`, complete or not at all.

    The project goes to `output` (by default `<model>-<board>` in the current folder); an existing
    one is kept unless `force`.  Raises InvalidModelError, UnsupportedModelError with all reasons,
    DoesNotFitError with the numbers, UnknownBoardError, OutputError.
    """
    chosen = load_board(board)
    progress("reading the model")
    source = load_model(model)
    progress("compiling the model")
    plan = compile_for(source, chosen)
    return write_generated(
        source,
        plan,
        board=chosen,
        engine=engine,
        output=Path(output) if output is not None else None,
        name=name,
        force=force,
        reference=open_reference(source),
        progress=progress,
    )
