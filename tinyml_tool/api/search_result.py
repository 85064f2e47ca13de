"""What a search found, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.api.cost import Cost
from tinyml_tool.train.pareto import front
from tinyml_tool.train.search_space import Candidate, read_candidate


@dataclass(frozen=True)
class Limits:
    """What a network may take: of a program that runs it once, and of one inference."""

    max_flash: int | None = None
    max_ram: int | None = None
    max_instructions: int | None = None
    min_accuracy: float | None = None
    """Of the int8 model on the validation samples; what is below has no part in the front."""

    def reached(self, accuracy: float) -> bool:
        """Whether an accuracy is good enough."""
        return self.min_accuracy is None or accuracy >= self.min_accuracy

    def exceeded(self, flash: int, ram: int, instructions: int | None) -> str | None:
        """The first limit that is exceeded, in words; None where none is."""
        for name, value, limit in (
            ("flash", flash, self.max_flash),
            ("RAM", ram, self.max_ram),
            ("instructions", instructions or 0, self.max_instructions),
        ):
            if limit is not None and value > limit:
                return f"{name} {value:,} above {limit:,}"
        return None


@dataclass(frozen=True)
class Judged:
    """A candidate and what became of it."""

    candidate: Candidate
    generation: int
    parameters: int = 0
    refused: str | None = None
    """Why it was not trained."""
    cost: Cost | None = None
    accuracy: float | None = None
    """Of the int8 model on the validation samples, in the reference."""
    network: str | None = None
    """Names the untrained network by its content: different numbers may mean the same one."""

    @property
    def point(self) -> tuple[float, float, float]:
        """What is to be small: error, flash, instructions."""
        assert self.cost is not None, "it was measured"
        assert self.accuracy is not None, "it was trained"
        return 1 - self.accuracy, self.cost.flash_bytes, float(self.cost.instructions or 0)

    def to_json(self) -> dict[str, Any]:
        """A line of the journal."""
        return {
            "id": self.candidate.id,
            "candidate": self.candidate.to_json(),
            "generation": self.generation,
            "parameters": self.parameters,
            "refused": self.refused,
            "cost": self.cost.to_json() if self.cost else None,
            "accuracy": self.accuracy,
            "network": self.network,
        }


def read_judged(line: Mapping[str, Any]) -> Judged:
    """A candidate from a line of the journal."""
    return Judged(
        read_candidate(line["candidate"]),
        line["generation"],
        line["parameters"],
        line["refused"],
        Cost(**line["cost"]) if line["cost"] else None,
        line["accuracy"],
        line["network"],
    )


def front_of(judged: Sequence[Judged], limits: Limits = Limits()) -> list[Judged]:
    """Those trained that no other beats on error, flash and instructions; the best first."""
    trained = [one for one in judged if one.accuracy is not None and limits.reached(one.accuracy)]
    best = [trained[index] for index in front([one.point for one in trained])]
    return sorted(best, key=lambda one: one.point)


@dataclass(frozen=True)
class Found:
    """A network of the front, handed out as a folder like a training's."""

    judged: Judged
    folder: Path | None
    """None for those of the front that were not kept."""
    test_accuracy: float | None
    """Of the int8 model on the test samples, which had no part in the search."""

    @property
    def cost(self) -> Cost:
        """Measured with the trained weights."""
        assert self.judged.cost is not None, "what is on the front was measured"
        return self.judged.cost

    def to_json(self) -> dict[str, Any]:
        """As `search --json` tells it."""
        return {
            "name": str(self.judged.candidate),
            **self.judged.to_json(),
            "folder": str(self.folder) if self.folder else None,
            "test_accuracy": self.test_accuracy,
            "cost": self.cost.to_json(),
        }


@dataclass(frozen=True)
class Baseline:
    """The model that the search is to beat."""

    model: str
    validation_accuracy: float
    test_accuracy: float
    cost: Cost

    def against(self, found: Found) -> tuple[list[str], list[str]]:
        """(what `found` does better in, what it does worse in), on the test samples."""
        better, worse = [], []
        for name, mine, other in (
            ("accuracy", -(found.test_accuracy or 0.0), -self.test_accuracy),
            ("flash", found.cost.flash_bytes, self.cost.flash_bytes),
            ("instructions", found.cost.instructions or 0, self.cost.instructions or 0),
        ):
            if mine < other:
                better.append(name)
            elif mine > other:
                worse.append(name)
        return better, worse

    def to_json(self) -> dict[str, Any]:
        """As `search --json` tells it."""
        return {
            "model": self.model,
            "validation_accuracy": self.validation_accuracy,
            "test_accuracy": self.test_accuracy,
            "cost": self.cost.to_json(),
        }


@dataclass(frozen=True, eq=False)
class SearchResult:
    """All candidates, and the front."""

    folder: Path
    board: str
    limits: Limits
    judged: tuple[Judged, ...]
    found: tuple[Found, ...]
    """The front, the most accurate first."""
    baseline: Baseline | None

    @property
    def plot(self) -> Path:
        """Accuracy against instructions and flash."""
        return self.folder / "front.svg"

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`, and what `search.json` holds."""
        return {
            "output": str(self.folder),
            "board": self.board,
            "limits": vars(self.limits),
            "candidates": [one.to_json() for one in self.judged],
            "front": [
                {
                    **one.to_json(),
                    **(
                        dict(zip(("beats", "loses"), self.baseline.against(one), strict=True))
                        if self.baseline
                        else {}
                    ),
                }
                for one in self.found
            ],
            "baseline": self.baseline.to_json() if self.baseline else None,
        }
