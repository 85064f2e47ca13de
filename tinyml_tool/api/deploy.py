"""`deploy`: from a model to a verdict, all stages in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyml_tool.api.chosen_inputs import chosen_inputs
from tinyml_tool.api.engine_choice import check_engine
from tinyml_tool.api.engines import EngineOptions, require_for_build
from tinyml_tool.api.flash import flash_board
from tinyml_tool.api.generate import (
    GOLDEN_SEED,
    GOLDEN_VECTORS,
    Progress,
    compile_for,
    no_progress,
    tuned,
    write_generated,
)
from tinyml_tool.api.model_source import load_model
from tinyml_tool.api.preprocessing import plan_answer, plan_preprocessing, plan_sensor
from tinyml_tool.api.project import Project, open_project
from tinyml_tool.api.session import EmulatorName, board_emulated_by, choose_emulator
from tinyml_tool.api.stopwatch import Stopwatch
from tinyml_tool.api.validate import validate_project
from tinyml_tool.boards import Board, load_board, with_arena_in
from tinyml_tool.config import MlperfBenchmark, Optimize
from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.preprocess.source_spec import SourceSpec
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.build import System, build_project
from tinyml_tool.verify.evidence import Evidence


def deploy(
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
    inputs: Sequence[str | Path] = (),
    vectors: int = GOLDEN_VECTORS,
    seed: int = GOLDEN_SEED,
    port: str | None = None,
    emulator: EmulatorName | None = None,
    system: System = "platformio",
    time_limit: float | None = None,
    tune: bool = False,
    arena_in: str | None = None,
    progress: Progress = no_progress,
) -> Evidence:
    """Generate, build and run `model` on `board`, and compare every layer with the reference.

    It runs on `emulator`, or on a real board at `port`: that one is flashed first.
    The project stays in `output` (by default `<model>-<board>`), whatever the verdict, which is
    `parity.agrees` of the result (`parity.exact`: in every bit).  Raises what `generate`, `build`,
    `flash` and `validate` raise, and InputError for the port of a board that cannot be flashed
    from here.
    """
    watch = Stopwatch()
    chosen = with_arena_in(load_board(board), arena_in)
    emulator = choose_emulator(chosen, emulator, port)
    if port is not None:
        _require_real(chosen, port)
    check_engine(engine)
    progress("reading the model")
    loaded = watch.time("read", lambda: load_model(model))
    place = Path(output) if output is not None else None
    if port is None:
        require_for_build(engine, loaded.graph, chosen, place)
    values = chosen_inputs(loaded.graph, inputs, vectors, seed).values
    preprocessing = plan_preprocessing(loaded, features)
    evaluation = plan_answer(loaded, answer)
    sensor = plan_sensor(source, preprocessing, chosen)
    progress("compiling the model")
    options = EngineOptions(optimize, arena_bytes, tuple(without_passes))
    if tune:
        unmeasured = options
        tuning = watch.time("tune", lambda: tuned(loaded, chosen, engine, unmeasured, progress))
        options = replace(options, bodies=tuning.bodies)
    plan = watch.time(
        "compile",
        lambda: compile_for(
            loaded,
            chosen,
            engine=engine,
            options=options,
            mlperf=mlperf,
            features=preprocessing,
            answer=evaluation,
            sensor=sensor,
        ),
    )
    reference = watch.time("reference", lambda: TflmReference(loaded.data, loaded.graph.name))
    generated = watch.time(
        "generate",
        lambda: write_generated(
            loaded,
            plan,
            board=chosen,
            output=place,
            name=name,
            force=force,
            mlperf=mlperf,
            reference=reference,
            features=preprocessing,
            answer=evaluation,
            sensor=sensor,
            progress=progress,
        ),
    )
    project = open_project(generated.project)
    firmware = None
    if port is not None:
        given = port
        port = watch.time("flash", lambda: _flash(project, given, time_limit, progress))
    else:
        firmware = watch.time(
            "build",
            lambda: build_project(
                project.folder,
                chosen,
                system,
                emulated=board_emulated_by(chosen, emulator),
                progress=progress,
            ),
        )
    return validate_project(
        project,
        values,
        reference,
        firmware=firmware,
        port=port,
        emulator=emulator,
        time_limit=time_limit,
        watch=watch,
        progress=progress,
    )


def _require_real(board: Board, port: str) -> None:
    if board.is_real:
        return
    raise InputError(
        f"--port is for real boards, which deploy flashes; '{board.id}' is none",
        hint="leave --port out to run it in an emulator; to compare with firmware that already "
        f"runs there: `tinyml validate PROJECT --port {port}`",
    )


def _flash(project: Project, port: str, time_limit: float | None, progress: Progress) -> str:
    """Put the firmware onto the board at `port`; returns where the board is after that."""
    target, _ = flash_board(project, port, time_limit=time_limit, progress=progress)
    return target.url
