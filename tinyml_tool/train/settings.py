"""How a training goes, besides data and architecture."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from tinyml_tool.errors import InputError

Schedule: TypeAlias = Literal["constant", "cosine", "step"]


@dataclass(frozen=True)
class Augmentation:
    """How each epoch varies the training samples; zeros leave them as they are."""

    shift: int = 0
    """Most places that a sample moves along time, or a picture along both axes."""
    noise: float = 0.0
    """Standard deviation of normal noise on each input value."""
    mixup: float = 0.0
    """Alpha of mixup; 0.2 is usual."""
    flip: bool = False
    """Mirror every other picture."""


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides the result, besides data, architecture and library versions."""

    epochs: int = 50
    batch_size: int = 32
    learning_rate: float = 3e-3
    schedule: Schedule = "cosine"
    weight_decay: float = 0.0
    patience: int = 0
    """Stop after so many epochs without a better validation loss; 0: never."""
    balance: bool = False
    """Weigh classes so that rare ones count as much as frequent ones."""
    seed: int = 0
    augmentation: Augmentation = Augmentation()

    def to_json(self) -> dict[str, Any]:
        """What training.json stores."""
        return asdict(self)


def check_settings(settings: TrainSettings) -> None:
    """Raise InputError for a value out of range."""
    ranges: dict[str, tuple[float, float]] = {
        "epochs": (1, 100_000),
        "batch_size": (1, 1 << 20),
        "learning_rate": (1e-9, 10),
        "weight_decay": (0, 1),
        "patience": (0, 100_000),
        "seed": (0, 2**32 - 1),
    }
    values = [(name, getattr(settings, name), limits) for name, limits in ranges.items()]
    augmentation = settings.augmentation
    values += [
        ("shift", augmentation.shift, (0, 100_000)),
        ("noise", augmentation.noise, (0, 1000)),
        ("mixup", augmentation.mixup, (0, 100)),
    ]
    for name, value, (low, high) in values:
        if not low <= value <= high:
            raise InputError(f"{name.replace('_', ' ')} {value} is not from {low:g} to {high:g}")
    if settings.schedule not in ("constant", "cosine", "step"):
        raise InputError(
            f"unknown schedule '{settings.schedule}'", hint="one of: constant, cosine, step"
        )
