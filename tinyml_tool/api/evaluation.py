"""What an evaluation found out, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyml_tool.verify.agreement import Agreement
from tinyml_tool.verify.anomaly import AnomalyFigures
from tinyml_tool.verify.confusion import Confusion
from tinyml_tool.verify.device_answers import AnswerParity


@dataclass(frozen=True)
class Decided:
    """What becomes of a classifier's answers by the thresholds of its answer spec."""

    samples: int
    decided: int
    """Samples whose best class reaches its threshold and may be detected."""
    right: int
    """Of these, those of that class."""

    def to_json(self) -> dict[str, Any]:
        """As `evaluate --json` tells it."""
        return {"samples": self.samples, "decided": self.decided, "right": self.right}


@dataclass(frozen=True)
class ModelFigures:
    """How good answers are: of a classifier or of an anomaly model."""

    confusion: Confusion | None = None
    anomaly: AnomalyFigures | None = None
    auc: float | None = None
    """Of a classifier of two classes: by its score of the second one."""
    decided: Decided | None = None
    """Of a classifier with an answer spec."""

    def to_json(self) -> dict[str, Any]:
        """As `evaluate --json` tells it."""
        if self.anomaly is not None:
            return {"task": "anomaly", **self.anomaly.to_json()}
        assert self.confusion is not None, "there is one or the other"
        return {
            "task": "classification",
            **self.confusion.to_json(),
            "auc": self.auc,
            "decided": self.decided.to_json() if self.decided else None,
        }


@dataclass(frozen=True)
class DeviceFigures:
    """The same samples on a device."""

    board: str
    ran_on: str
    engine: str
    agreement: Agreement
    figures: ModelFigures
    instructions_per_inference: int | None
    answers: AnswerParity | None = None
    """What the device says of each sample, compared; None where it has no answer spec."""

    def to_json(self) -> dict[str, Any]:
        """As `evaluate --json` tells it."""
        return {
            "board": self.board,
            "ran_on": self.ran_on,
            "engine": self.engine,
            "agreement": self.agreement.to_json(),
            "figures": self.figures.to_json(),
            "instructions_per_inference": self.instructions_per_inference,
            "answers": self.answers.to_json() if self.answers else None,
        }


@dataclass(frozen=True)
class Evaluation:
    """A model's figures on data; on the host, and where asked for on a device."""

    model: str
    data: str
    samples: int
    host: ModelFigures
    device: DeviceFigures | None = None

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "model": self.model,
            "data": self.data,
            "samples": self.samples,
            "host": self.host.to_json(),
            "device": self.device.to_json() if self.device else None,
        }
