"""`profile`: what each layer of a model costs on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from tinyml_tool.api.engines import target_of
from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.api.project import Project, open_project
from tinyml_tool.api.session import EmulatorName, Session, choose_emulator, open_session
from tinyml_tool.compiler.compile import compile_rewritten
from tinyml_tool.compiler.describe import describe
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.devices.execution_trace import trace_execution
from tinyml_tool.devices.link.calibration import Benchmark, instructions_between
from tinyml_tool.graph.measure import activation_bytes, macs, weight_bytes
from tinyml_tool.graph.types import Graph
from tinyml_tool.toolchain.build import Firmware, System, build_project
from tinyml_tool.toolchain.cycle_model import MODELS
from tinyml_tool.toolchain.disassembly import disassemble
from tinyml_tool.verify.cycle_estimate import Cost as TracedCost
from tinyml_tool.verify.cycle_estimate import CycleEstimate, Regions, estimate_cycles

_ROUNDS = 8
"""Inferences measured: enough to see a count of instructions rounded both ways to ticks."""


@dataclass(frozen=True)
class LayerProfile:
    """One layer of the firmware."""

    layer: int
    """Its index in the model."""
    kind: str
    description: str
    kernel: str | None
    """None where nothing is computed, and for engine tflm."""
    output_shape: tuple[int, ...]
    instructions: int | None
    """Of one inference; None where nothing counts them."""
    cycles: int | None
    """Estimated from the instructions that were executed; None without an estimate."""
    microseconds: float | None
    """By a real device's timer; None in an emulator, whose time means nothing."""
    share: float
    """Of all layers together, 0 to 1."""
    macs: int
    instructions_per_mac: float | None
    weight_bytes: int
    activation_bytes: int


@dataclass(frozen=True)
class Profile:
    """All layers of one inference on inputs of real value 0."""

    board: str
    ran_on: str
    engine: str
    layers: tuple[LayerProfile, ...]
    instructions: int | None
    """Of model_invoke(), measured by itself, without an observer between the layers."""
    overhead_instructions: int | None
    """What measuring added to each layer, and was taken off again."""
    cycles: int | None = None
    """Of one inference, estimated; None for engine tflm, and where the core has no model."""
    cycles_source: str | None = None
    """Where the estimate's figures are from, and what they assume."""
    stack_bytes: int | None = None
    """The most in use since the reset, by the whole firmware; None where it cannot tell."""
    model_stack_bytes: int | None = None
    """The most that `model_invoke()` can take; None without a bound, or on a port."""

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class _Cost:
    """Of one layer: instructions or seconds, by what the device can tell."""

    instructions: int | None
    seconds: float | None


def profile(
    project: str | Path | Project = ".",
    *,
    port: str | None = None,
    emulator: EmulatorName | None = None,
    system: System = "platformio",
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Profile:
    """Measure each layer of a generated project on its emulator, or on the device at `port`.

    Raises what building and the device raise.
    """
    opened = project if isinstance(project, Project) else open_project(project)
    emulator = choose_emulator(opened.board, emulator, port)

    built: list[Firmware] = []

    def elf() -> Path:
        built.append(build_project(opened.folder, opened.board, system, progress=progress))
        return built[0].elf

    with open_session(
        opened, elf=elf, port=port, emulator=emulator, time_limit=time_limit
    ) as session:
        progress(f"measuring on {session.device.name}")
        benchmark = session.benchmark()
        costs, overhead = _layer_costs(session, opened.rewriting.graph, benchmark)
        hello = session.client.hello()
    cycles = _cycles(opened, built, progress)
    return Profile(
        board=opened.board.id,
        ran_on=hello.board,
        engine=opened.manifest.engine,
        layers=_layers(opened, costs, cycles.layers if cycles else {}),
        instructions=benchmark.instructions,
        overhead_instructions=overhead,
        cycles=cycles.total.cycles if cycles else None,
        cycles_source=cycles.source if cycles else None,
        stack_bytes=hello.stack_high_water if hello.stack_bytes else None,
        model_stack_bytes=built[0].model_stack.bytes if built else None,
    )


def _cycles(
    project: Project, built: Sequence[Firmware], progress: Progress
) -> CycleEstimate | None:
    """The estimate by the minimal program in QEMU; None where that cannot tell it."""
    if not built or project.manifest.engine != Plan.engine:
        return None
    board = built[0].board
    if board.emulator is None or board.emulator.kind != "qemu" or board.core.name not in MODELS:
        return None
    progress("estimating cycles from the instructions executed")
    minimal = build_project(
        project.folder,
        project.board,
        "cmake" if built[0].system == "cmake" else "platformio",
        program="minimal",
    )
    listing = disassemble(minimal.elf, minimal.compiler)
    trace = trace_execution(minimal.elf, board, Regions.of(listing))
    return estimate_cycles(
        trace, listing, project.board.core.name, project.board.memory.flash_wait_states
    )


def _layer_costs(
    session: Session, graph: Graph, benchmark: Benchmark
) -> tuple[list[_Cost], int | None]:
    """The cost of each operator, and what measuring took each time, in instructions."""
    places = [place for place, op in enumerate(graph.operators) for _ in graph.written(op)]
    rate = benchmark.instructions_per_tick
    rounds = [session.client.profile(len(places)) for _ in range(_ROUNDS if rate else 1)]
    samples = list(zip(*(each.ticks for each in rounds), strict=True))
    empties = [each.empty for each in rounds]
    sums = [0.0] * len(graph.operators)
    overhead = _cost(empties, rate, benchmark.timer_hz)
    for place, ticks in zip(places, samples, strict=True):
        sums[place] += max(0.0, _cost(ticks, rate, benchmark.timer_hz) - overhead)
    if rate is None:
        return [_Cost(None, seconds) for seconds in sums], None
    return [_Cost(round(count), None) for count in sums], round(overhead)


def _cost(ticks: Sequence[int], rate: Fraction | None, timer_hz: int) -> float:
    """Instructions where ticks tell them, else seconds."""
    if rate is None:
        return sum(ticks) / len(ticks) / timer_hz
    return instructions_between(ticks, rate)


def _layers(
    project: Project, costs: Sequence[_Cost], cycles: Mapping[int, TracedCost]
) -> tuple[LayerProfile, ...]:
    graph = project.rewriting.graph
    kernels = _kernels(project)
    total = sum(cost.instructions or cost.seconds or 0.0 for cost in costs) or 1.0
    layers = []
    for operator, cost in zip(graph.operators, costs, strict=True):
        work = macs(operator, graph)
        per_mac = cost.instructions / work if cost.instructions is not None and work else None
        layers.append(
            LayerProfile(
                layer=operator.origin,
                kind=operator.kind,
                description=describe(operator, graph),
                kernel=kernels.get(operator.index),
                output_shape=graph.tensor(operator.outputs[0]).shape,
                instructions=cost.instructions,
                cycles=cycles[operator.index].cycles if operator.index in cycles else None,
                microseconds=None if cost.seconds is None else round(cost.seconds * 1e6, 1),
                share=round((cost.instructions or cost.seconds or 0.0) / total, 6),
                macs=work,
                instructions_per_mac=None if per_mac is None else round(per_mac, 3),
                weight_bytes=weight_bytes(operator, graph),
                activation_bytes=activation_bytes(operator, graph),
            )
        )
    return tuple(layers)


def _kernels(project: Project) -> dict[int, str]:
    """The kernel of each operator by its position."""
    manifest = project.manifest
    if manifest.engine != Plan.engine:
        return {}
    layers = compile_rewritten(project.rewriting, target_of(manifest, project.board)).layers
    return {layer.operator.index: layer.call.kernel for layer in layers if layer.call}
