"""`validate`: prove on the device that the firmware answers as the reference does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyml_tool.api.chosen_inputs import chosen_inputs
from tinyml_tool.api.generate import GOLDEN_SEED, GOLDEN_VECTORS, Progress, no_progress
from tinyml_tool.api.project import Project, open_project
from tinyml_tool.api.session import EmulatorName, board_emulated_by, choose_emulator, open_session
from tinyml_tool.api.stopwatch import Stopwatch
from tinyml_tool.api.time_left import TransferProgress, wire_bytes
from tinyml_tool.compiler.tflm_plan import TflmPlan
from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.answer_plan import answer_plan
from tinyml_tool.reference.reference import Reference
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.build import Firmware, System, build_project
from tinyml_tool.verify.answer_runs import answer_parity
from tinyml_tool.verify.evidence import Evidence, MemoryUse
from tinyml_tool.verify.inputs import Vector
from tinyml_tool.verify.parity import compare
from tinyml_tool.verify.pass_summary import PassSummary
from tinyml_tool.verify.rounding import FLOAT_TOLERANCE


def validate_project(
    project: Project,
    values: Sequence[Vector],
    reference: Reference,
    *,
    firmware: Firmware | None,
    layers: bool = True,
    checksums: bool = False,
    port: str | None = None,
    emulator: EmulatorName | None = None,
    time_limit: float | None = None,
    watch: Stopwatch,
    progress: Progress = no_progress,
) -> Evidence:
    """Compare every layer and output on the device with the reference, and measure.

    `firmware` is what an emulator runs; on a `port` it may be None, and then memory is not known.
    Differences are not raised: they are in the evidence.
    """

    def elf() -> Path:
        assert firmware is not None, "an emulator needs a firmware"
        return firmware.elf

    if layers and firmware is not None:
        _check_observable(firmware)
    rewriting = project.rewriting
    expected = len(values) * wire_bytes(rewriting.graph, layers=layers, checksums=checksums)
    transfer = TransferProgress(len(values), expected, progress)
    with open_session(
        project,
        elf=elf,
        port=port,
        emulator=emulator,
        time_limit=time_limit,
        moved=transfer.moved,
    ) as session:
        progress(f"running on {session.device.name}")
        compared = progress if session.device.shares_files else transfer.step_done
        transfer.begin()
        parity = watch.time(
            "parity",
            lambda: compare(
                rewriting,
                session.runner,
                reference,
                values,
                compared,
                layers=layers,
                checksums=checksums,
                float_tolerance=_float_tolerance(project.manifest.engine),
            ),
        )
        answers = None
        if (spec := project.answer) is not None:
            progress("comparing answers")
            plan = answer_plan(spec, project.source.graph)
            answers = watch.time(
                "answers", lambda: answer_parity(plan, session.runner, values, apart=True)
            )
        progress("measuring")
        benchmark = watch.time("benchmark", session.benchmark)
        hello = session.client.hello()
        arena = session.arena(project)
    memory = None
    if firmware is not None:
        facts = firmware.facts
        memory = MemoryUse(
            flash_bytes=facts.flash_bytes,
            ram_bytes=facts.ram_bytes,
            arena_bytes=project.manifest.arena_bytes,
            stack_bytes=hello.stack_high_water if hello.stack_bytes else None,
            model_stack_bytes=firmware.model_stack.bytes,
            features_bytes=project.manifest.features_ram_bytes,
            answer_bytes=project.manifest.answer_ram_bytes,
        )
    return Evidence(
        board=project.board.id,
        ran_on=hello.board,
        engine=project.manifest.engine,
        optimize=project.manifest.optimize,
        passes=PassSummary.of(rewriting) if rewriting.records else None,
        parity=parity,
        answers=answers,
        memory=memory,
        arena=arena,
        instructions_per_inference=benchmark.instructions,
        seconds_per_inference=benchmark.seconds,
        seconds=watch.seconds,
    )


def _float_tolerance(engine: str) -> float:
    """Engine aot compiles every kernel itself, for the reference's bits."""
    return FLOAT_TOLERANCE if engine == TflmPlan.engine else 0.0


def _check_observable(firmware: Firmware) -> None:
    if firmware.tflm is not None and not firmware.tflm.has_messages:
        raise InputError(
            f"{firmware.tflm.library.path}: does not tell when a layer ends "
            "(it was built with BUILD_TYPE=release)",
            hint="compare only outputs: `tinyml validate PROJECT --outputs-only`; or take a "
            "library of BUILD_TYPE=release_with_logs",
        )


def validate(
    project: str | Path = ".",
    *,
    inputs: Sequence[str | Path] = (),
    vectors: int = GOLDEN_VECTORS,
    seed: int = GOLDEN_SEED,
    layers: bool = True,
    checksums: bool = False,
    port: str | None = None,
    emulator: EmulatorName | None = None,
    system: System = "platformio",
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Evidence:
    """Validate a generated project on `emulator`, by default its own, or on the device at `port`.

    Inputs are `inputs` (files), or `vectors` made ones: extremes first, then random.  Without
    `layers` only the model's outputs are compared, in half the time.  With `checksums`, a device
    at a `port` tells each layer's CRC-32, and only layers that differ are fetched.  Whether all
    values agree is told by `parity.agrees`, whether in every bit by `parity.exact` (floats of
    engine tflm may be off by the rounding of the library it is linked with), how many were not
    looked at one by one by `parity.values_by_checksum`.  What the device says of its outputs is
    compared with the same C on this computer (`answers`).  Raises ToolMissingError where the
    reference is not installed, and what building and the device raise.
    """
    if checksums and not layers:
        raise InputError("checksums are of layers, and no layer is to be compared")
    watch = Stopwatch()
    opened = open_project(project)
    emulator = choose_emulator(opened.board, emulator, port)
    values = chosen_inputs(opened.source.graph, inputs, vectors, seed).values
    reference = watch.time(
        "reference", lambda: TflmReference(opened.source.data, opened.source.graph.name)
    )
    firmware = None
    if port is None:
        firmware = watch.time(
            "build",
            lambda: build_project(
                opened.folder,
                opened.board,
                system,
                emulated=board_emulated_by(opened.board, emulator),
                progress=progress,
            ),
        )
    return validate_project(
        opened,
        values,
        reference,
        firmware=firmware,
        layers=layers,
        checksums=checksums,
        port=port,
        emulator=emulator,
        time_limit=time_limit,
        watch=watch,
        progress=progress,
    )
