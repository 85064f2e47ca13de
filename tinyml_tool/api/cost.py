"""What a model costs on a board: built and run there, not estimated from its parameters."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.api.engines import EngineOptions
from tinyml_tool.api.generate import Progress, compile_for, no_progress, write_generated
from tinyml_tool.api.model_source import ModelSource
from tinyml_tool.api.project import network_alone
from tinyml_tool.api.session import choose_emulator, open_session
from tinyml_tool.boards import Board, emulated_board, load_board
from tinyml_tool.compiler.footprint import footprint_estimate
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.config import Optimize
from tinyml_tool.errors import InputError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.verify.agreement import agreement
from tinyml_tool.verify.inputs import vectors

COMPARED_INPUTS = 3


@dataclass(frozen=True)
class Cost:
    """Flash and RAM of the smallest program that runs the model once; instructions of one run."""

    board: str
    """The emulated board that was measured on."""
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    instructions: int | None
    """On the emulated core; None where the emulator does not count them."""
    exact: bool
    """Whether the device answered some inputs bit for bit like the reference."""

    def to_json(self) -> dict[str, Any]:
        """As `compress --json` and `search --json` tell it."""
        return asdict(self)


def measure_cost(
    data: bytes | Path,
    board: str | Path | Board = "qemu-m4",
    *,
    name: str = "model",
    engine: str = Plan.engine,
    optimize: Optimize | None = None,
    progress: Progress = no_progress,
) -> Cost:
    """Compile a model for `board`, build it, run it there and compare.

    Features and answers inside the model are left out: this is the cost of the network alone.  A
    real board is stood for by the emulated one of its core, after a look whether its memory is
    enough.  Raises InputError where no emulator runs the board, UnsupportedModelError,
    DoesNotFitError, ToolMissingError, BuildError, and what the device raises.
    """
    wanted = load_board(board)
    require_emulator(wanted)
    chosen = emulated_board(wanted)
    emulator = choose_emulator(chosen, None, None)
    content = data if isinstance(data, bytes) else data.read_bytes()
    source = source_of(content, name)
    options = EngineOptions(optimize)
    plan = compile_for(source, wanted, engine=engine, options=options)
    if chosen != wanted:
        plan = compile_for(source, chosen, engine=engine, options=options)
    reference = TflmReference(content, name)
    inputs = vectors(source.graph, COMPARED_INPUTS, 0)
    with tempfile.TemporaryDirectory(prefix="tinyml-cost-") as folder:
        place = Path(folder) / "project"
        write_generated(source, plan, board=chosen, output=place, name=name, progress=progress)
        project = network_alone(place)
        minimal = build_project(place, chosen, program="minimal", progress=progress)

        def elf() -> Path:
            return build_project(place, chosen, progress=progress).elf

        with open_session(project, elf=elf, emulator=emulator) as session:
            progress(f"measuring {name} on {session.device.name}")
            answers = session.runner.run_many(inputs)
            instructions = session.benchmark().instructions
    expected = [list(reference.run(one)) for one in inputs]
    return Cost(
        chosen.id,
        minimal.facts.flash_bytes,
        minimal.facts.ram_bytes,
        footprint_estimate(plan).arena_bytes,
        instructions,
        agreement(expected, answers).exact,
    )


def require_emulator(board: Board) -> None:
    """Raise InputError, before anything is trained, where no emulator runs `board`."""
    try:
        choose_emulator(board, None, None)
    except InputError as error:
        raise InputError(
            f"{error.message}, so nothing can be measured on it",
            hint="measure on an emulated board of the same core: `tinyml boards` lists them",
        ) from None


def source_of(content: bytes, name: str) -> ModelSource:
    """A model in memory, read and checked."""
    return ModelSource(parse_model(content, name), content)
