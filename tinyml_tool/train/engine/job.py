"""What the engine is asked to do: one JSON file, read strictly enough to fail early."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = 1


@dataclass(frozen=True)
class Augmentation:
    """How each epoch varies the training samples; zeros leave them as they are."""

    shift: int = 0
    """Most places that a sample moves along time, or a picture along both axes."""
    noise: float = 0.0
    """Standard deviation of normal noise added to each value."""
    mixup: float = 0.0
    """Alpha of mixup's beta distribution (Zhang et al. 2018)."""
    flip: bool = False
    """Whether every other picture is mirrored, left to right."""


@dataclass(frozen=True)
class Fit:
    """How to fit a model."""

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    schedule: str = "cosine"
    """`constant`, `cosine` (to zero at the last epoch) or `step` (a tenth after each third)."""
    weight_decay: float = 0.0
    patience: int = 0
    """Epochs without a better validation loss after which to stop; 0: never."""
    class_weights: tuple[float, ...] | None = None
    augmentation: Augmentation = Augmentation()


@dataclass(frozen=True)
class Job:
    """A job: `mode` names the module in `modes/` that does it, `options` are that mode's own."""

    mode: str
    arrays: Path
    """`.npz` with x_train, y_train, x_validation, y_validation, x_test, y_test."""
    work: Path
    """Folder for checkpoint and results."""
    model: Mapping[str, Any]
    """`{"architecture": {...}}`, or `{"file": path}` of a `.keras` file to go on from."""
    task: str
    """`classification` or `reconstruction`."""
    classes: int
    fit: Fit
    options: Mapping[str, Any]


def read_job(path: Path) -> Job:
    """Read a job file.  Raises KeyError, TypeError, ValueError for what is no job."""
    data = json.loads(path.read_text())
    if data["schema"] != SCHEMA:
        raise ValueError(f"{path}: schema {data['schema']}, this engine reads {SCHEMA}")
    return Job(
        mode=data["mode"],
        arrays=Path(data["arrays"]),
        work=Path(data["work"]),
        model=data["model"],
        task=data["task"],
        classes=data["classes"],
        fit=read_fit(data["fit"]),
        options=data.get("options", {}),
    )


def read_fit(data: Mapping[str, Any]) -> Fit:
    """The part `fit` of a job."""
    weights = data.get("class_weights")
    return Fit(
        **{
            **data,
            "augmentation": Augmentation(**data.get("augmentation", {})),
            "class_weights": tuple(weights) if weights else None,
        }
    )
