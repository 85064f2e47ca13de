"""`--tune`: kernels chosen by measuring them, layer by layer, in the emulator."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tinyml_tool.api.engine_choice import check_preset
from tinyml_tool.api.engines import EngineOptions
from tinyml_tool.api.generate import Progress, compile_for, no_progress, write_generated
from tinyml_tool.api.model_source import ModelSource
from tinyml_tool.api.profile import profile
from tinyml_tool.api.project import network_alone
from tinyml_tool.boards import Board, emulated_board
from tinyml_tool.cache_folder import cache_folder
from tinyml_tool.compiler.plan import Layer, Plan
from tinyml_tool.compiler.target import bodies_for
from tinyml_tool.errors import InputError, OutputError
from tinyml_tool.graph.passes.split_rows import SPLIT_ROWS
from tinyml_tool.output_file import write_output_file
from tinyml_tool.resources import data_folder
from tinyml_tool.toolchain.build import System
from tinyml_tool.toolchain.compilers import find_compiler
from tinyml_tool.version import VERSION

OWN = "own"
"""The body that the core's own rules choose."""


@dataclass(frozen=True)
class Candidate:
    """A kernel that a layer can run, and what it was measured to take."""

    kernel: str
    body: str
    """`own`, or the name of the simpler core it is for."""
    instructions: int
    cycles: int | None = None
    """Estimated, where the core has a model."""


@dataclass(frozen=True)
class _Cost:
    """Of one layer and one inference."""

    instructions: int
    cycles: int | None


@dataclass(frozen=True)
class TunedLayer:
    """A layer of the model with more than one kernel to choose from, the chosen one first."""

    layer: int
    kind: str
    candidates: tuple[Candidate, ...]

    @property
    def reason(self) -> str:
        """Why the first was chosen."""
        best, second = self.candidates[:2]
        text = (
            f"{self._name(best)} measured {best.instructions:,}, "
            f"next best {self._name(second)} {second.instructions:,} instructions"
        )
        rated = [each for each in self.candidates if each.cycles is not None]
        fastest = min(rated, key=lambda each: each.cycles or 0, default=best)
        if fastest.cycles == best.cycles:
            return text
        name = self._name(fastest)
        return f"{text}; by estimated cycles {name} {fastest.cycles:,}, not {best.cycles:,}"

    def _name(self, candidate: Candidate) -> str:
        """The kernel; also of which core, where another's has the same name."""
        kernels = [each.kernel for each in self.candidates]
        if kernels.count(candidate.kernel) == 1:
            return candidate.kernel
        return f"{candidate.kernel} of {candidate.body}"


@dataclass(frozen=True)
class Tuning:
    """What measuring chose."""

    layers: tuple[TunedLayer, ...]

    @property
    def bodies(self) -> tuple[tuple[int, str], ...]:
        """For `EngineOptions`: the layers that take another body than the core's own."""
        chosen = ((each.layer, each.candidates[0].body) for each in self.layers)
        return tuple((layer, body) for layer, body in chosen if body != OWN)

    def to_json(self) -> list[dict[str, Any]]:
        """What `generate --json` has under `tuning`."""
        return [{**asdict(each), "reason": each.reason} for each in self.layers]


def tune(
    source: ModelSource,
    board: Board,
    options: EngineOptions,
    *,
    system: System = "platformio",
    progress: Progress = no_progress,
) -> Tuning:
    """Measure every kernel that each layer of a model can run, and choose the fewest instructions.

    Layers are measured by themselves, so without bands of rows.  Counts are kept by layer, core,
    preset, compiler and kernel sources: nothing is measured twice.  Raises InputError for a preset
    that does not choose by instructions, and what building and the emulator raise.
    """
    if check_preset(Plan.engine, options.optimize) == "size":
        raise InputError(
            "--tune chooses kernels by instructions, the preset 'size' by bytes",
            hint="leave --tune out, or use --optimize balanced or speed",
        )
    alone = replace(options, without_passes=(*options.without_passes, SPLIT_ROWS))
    variants = {OWN: _plan(source, board, alone)}
    layers = [layer.operator.origin for layer in variants[OWN].layers]
    for body in bodies_for(board.core):
        chosen = replace(alone, bodies=tuple((layer, body) for layer in layers))
        variants[body] = _plan(source, board, chosen)
    wanted = _distinct(variants)
    keys = {(place, body): _key(layer, board, options) for (place, body), layer in wanted.items()}
    known = {at: cost for at, key in keys.items() if (cost := _kept(key)) is not None}
    for body, plan in variants.items():
        missing = [place for place, name in wanted if name == body and (place, name) not in known]
        if not missing:
            continue
        progress(f"measuring {len(missing)} layers with the kernels of '{body}'")
        costs = _measured(source, plan, board, system)
        for place in missing:
            known[place, body] = costs[place]
            _keep(keys[place, body], costs[place])
    return Tuning(tuple(_tuned(variants[OWN].layers, wanted, known)))


def _plan(source: ModelSource, board: Board, options: EngineOptions) -> Plan:
    plan = compile_for(source, board, options=options)
    assert isinstance(plan, Plan)
    return plan


def _distinct(variants: Mapping[str, Plan]) -> dict[tuple[int, str], Layer]:
    """The layers with several kernels, by place and body; equal calls only once."""
    found: dict[tuple[int, str], Layer] = {}
    for place in range(len(variants[OWN].layers)):
        calls: dict[str, tuple[str, Layer]] = {}
        for body, plan in variants.items():
            layer = plan.layers[place]
            if layer.call is not None:
                calls.setdefault(_call_text(layer), (body, layer))
        if len(calls) > 1:
            found |= {(place, body): layer for body, layer in calls.values()}
    return found


def _call_text(layer: Layer) -> str:
    call = layer.call
    return repr((call.kernel, call.params, call.scratch_bytes)) if call else ""


def _measured(source: ModelSource, plan: Plan, board: Board, system: System) -> dict[int, _Cost]:
    """What each layer takes, by its place."""
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        generated = write_generated(source, plan, board=board, output=Path(folder) / "project")
        layers = profile(network_alone(generated.project), system=system).layers
    return {
        place: _Cost(layer.instructions or 0, layer.cycles) for place, layer in enumerate(layers)
    }


def _tuned(
    layers: Sequence[Layer],
    wanted: Mapping[tuple[int, str], Layer],
    costs: Mapping[tuple[int, str], _Cost],
) -> list[TunedLayer]:
    tuned = []
    for place in sorted({place for place, _ in wanted}):
        candidates = [
            Candidate(layer.call.kernel, body, *astuple(costs[at, body]))
            for (at, body), layer in wanted.items()
            if at == place and layer.call
        ]
        # Of equal counts the core's own, which comes first, stays.
        candidates.sort(key=lambda candidate: candidate.instructions)
        operator = layers[place].operator
        tuned.append(TunedLayer(operator.origin, operator.kind, tuple(candidates)))
    return tuned


def _key(layer: Layer, board: Board, options: EngineOptions) -> str:
    """A name for all that the count depends on; weights are not among it."""
    emulated = emulated_board(board)
    facts = (
        layer.comment,
        _call_text(layer),
        emulated.id,
        emulated.core.name,
        options.optimize,
        find_compiler().version,
        VERSION,
        _kernel_sources(),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


@cache
def _kernel_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted((data_folder("firmware_templates") / "kernels").iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _kept(key: str) -> _Cost | None:
    """What was measured before; None where there is nothing that can be read."""
    try:
        cost = _Cost(**json.loads((cache_folder("tune") / f"{key}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return cost if isinstance(cost.instructions, int) else None


def _keep(key: str, cost: _Cost) -> None:
    content = json.dumps(asdict(cost)) + "\n"
    # A cache that cannot be written only costs time.
    with suppress(OutputError):
        write_output_file(cache_folder("tune") / f"{key}.json", content.encode(), force=True)
