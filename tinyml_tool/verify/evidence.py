"""What was found out about a model on a board: the values that reports are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tinyml_tool.verify.device_answers import AnswerParity
from tinyml_tool.verify.parity import Parity
from tinyml_tool.verify.pass_summary import PassSummary


@dataclass(frozen=True)
class MemoryUse:
    """Bytes the firmware takes on the board."""

    flash_bytes: int
    """Code, constants and initial values of data."""
    ram_bytes: int
    """All static data, arena included, without the stack."""
    arena_bytes: int
    """All tensors and scratch buffers, inputs included."""
    stack_bytes: int | None
    """The most that was in use while the model ran; None where the device cannot tell."""
    model_stack_bytes: int | None = None
    """The most stack that `model_invoke()` can take, without interrupts; None without a bound."""
    features_bytes: int | None = None
    """Static RAM of the preprocessing, part of `ram_bytes`; None where there is none."""
    answer_bytes: int | None = None
    """Static RAM of the answers, part of `ram_bytes`; None where there are none."""


@dataclass(frozen=True)
class ArenaUse:
    """The static memory for tensors, and how much of it the model uses, as the device tells."""

    bytes: int
    used_bytes: int
    enough_bytes: int
    """An arena of this size will do; never more than `bytes`."""

    @property
    def spare_bytes(self) -> int:
        """What can be given back."""
        return self.bytes - self.enough_bytes

    def to_json(self) -> dict[str, int]:
        """What reports have under `arena`."""
        return {**asdict(self), "spare_bytes": self.spare_bytes}


@dataclass(frozen=True)
class Evidence:
    """The outcome of `deploy` and of `validate`.

    `board` is the one the project is for; `ran_on` what the firmware says it was built for: the
    same, or the emulated board in its place.
    """

    board: str
    ran_on: str
    engine: str
    parity: Parity
    memory: MemoryUse | None
    """None where the firmware was not built here."""
    arena: ArenaUse
    instructions_per_inference: int | None = None
    """As an emulator counts them; None on real boards."""
    seconds_per_inference: float | None = None
    """By the timer of a real board; None in an emulator, where time means nothing."""
    optimize: str | None = None
    """The preset that engine aot chose its kernels by."""
    answers: AnswerParity | None = None
    """What the device says of the outputs, compared; None where it has no answer spec."""
    passes: PassSummary | None = None
    """What the graph passes saved; None where none ran."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall-clock time by stage of the work, in the order of the stages."""

    def to_json(self) -> dict[str, Any]:
        """Return what `deploy --json` has in `result`."""
        return {
            "board": self.board,
            "ran_on": self.ran_on,
            "engine": self.engine,
            "optimize": self.optimize,
            "parity": {
                "vectors": self.parity.vectors,
                "layers": self.parity.layers,
                "values_compared": self.parity.values_compared,
                "values_different": self.parity.values_different,
                "values_by_checksum": self.parity.values_by_checksum,
                "values_foretold": self.parity.values_foretold,
                "values_rounded": self.parity.values_rounded,
                "worst_rounding": self.parity.worst_rounding,
                "float_tolerance": self.parity.float_tolerance,
            },
            "answers": self.answers.to_json() if self.answers else None,
            "passes": self.passes.to_json() if self.passes else None,
            "arena": self.arena.to_json(),
            "instructions_per_inference": self.instructions_per_inference,
            "seconds_per_inference": self.seconds_per_inference,
            "memory": asdict(self.memory) if self.memory else None,
            "seconds": {stage: round(value, 3) for stage, value in self.seconds.items()},
        }
