"""Cycles of each layer, estimated from the instructions that an emulator executed."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass

from tinyml_tool.devices.execution_trace import ExecutionTrace
from tinyml_tool.toolchain.cycle_model import MODELS, CycleModel, cycles
from tinyml_tool.toolchain.disassembly import Instruction, Listing

_LAYER = re.compile(r"layer_(\d+)(?:\.\w+)*")
MODEL = "model_invoke"
"""The region between the layers."""
_OUTSIDE = ("main", "start", "port_reset_handler")


@dataclass(frozen=True)
class Cost:
    """Of one inference."""

    instructions: int = 0
    cycles: int = 0
    taken: int = 0
    """Branches, calls and returns that went elsewhere than to the next instruction."""


@dataclass(frozen=True)
class CycleEstimate:
    """What one inference costs, layer by layer."""

    source: str
    """Of the model's figures."""
    layers: dict[int, Cost]
    """By the layer's number in the generated C."""
    total: Cost
    """The calls of the layers included."""


@dataclass(frozen=True)
class Regions:
    """Which addresses belong to a layer's own function, or to what calls the layers."""

    starts: tuple[int, ...]
    names: tuple[str | None, ...]

    @classmethod
    def of(cls, listing: Listing) -> Regions:
        """Of a minimal program."""
        functions = [listing.functions[address] for address in sorted(listing.functions)]
        named = (MODEL, *_OUTSIDE)
        return cls(
            tuple(function.address for function in functions),
            tuple(
                function.name if _LAYER.fullmatch(function.name) or function.name in named else None
                for function in functions
            ),
        )

    def __call__(self, address: int) -> str | None:
        """The region of code at `address`; None for what several of them may call."""
        place = bisect_right(self.starts, address) - 1
        return self.names[place] if place >= 0 else None


def estimate_cycles(
    trace: ExecutionTrace, listing: Listing, core: str, wait_states: int = 0
) -> CycleEstimate | None:
    """The estimate for a core; None where there is no model of it.

    `wait_states` of the flash are added to each branch that is taken: what follows in order is
    taken to be fetched ahead.
    """
    model = MODELS.get(core)
    if model is None:
        return None
    code = _Code(listing, model)
    regions: Counter[tuple[str, str]] = Counter()
    for step, count in trace.steps.items():
        cost = code.cost(step.block, trace.blocks[step.block], step.follower)
        region = step.region or ""
        regions[region, "instructions"] += count * cost.instructions
        regions[region, "cycles"] += count * (cost.cycles + cost.taken * wait_states)
        regions[region, "taken"] += count * cost.taken
    found = {
        name: Cost(*(regions[name, field] for field in ("instructions", "cycles", "taken")))
        for name in {name for name, _ in regions}
        if name and name not in _OUTSIDE
    }
    layers = {int(match[1]): found[name] for name in found if (match := _LAYER.fullmatch(name))}
    total = Cost(
        sum(cost.instructions for cost in found.values()),
        sum(cost.cycles for cost in found.values()),
        sum(cost.taken for cost in found.values()),
    )
    return CycleEstimate(model.source, layers, total)


class _Code:
    """The program's instructions in order, and what blocks of them cost."""

    def __init__(self, listing: Listing, model: CycleModel) -> None:
        self._model = model
        self._code = sorted(
            (each for function in listing.functions.values() for each in function.instructions),
            key=lambda each: each.address,
        )
        self._addresses = [each.address for each in self._code]
        self._known: dict[tuple[int, int, int], Cost] = {}

    def cost(self, first: int, last: int, follower: int) -> Cost:
        """Of one execution of the block from `first` to `last`, which goes on at `follower`."""
        key = first, last, follower
        if key not in self._known:
            self._known[key] = self._cost(*key)
        return self._known[key]

    def _cost(self, first: int, last: int, follower: int) -> Cost:
        start = bisect_left(self._addresses, first)
        end = bisect_right(self._addresses, last)
        behind = self._addresses[end] if end < len(self._addresses) else None
        taken = follower != behind
        before: Instruction | None = None
        spent = 0
        for place in range(start, end):
            instruction = self._code[place]
            ends = place == end - 1
            spent += cycles(self._model, instruction, before, taken=ends and taken)
            before = instruction
        return Cost(end - start, spent, int(taken))
