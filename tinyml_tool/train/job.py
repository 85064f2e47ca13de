"""Writes jobs for the engine: see docs/training.md for the form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.train.dataset import PARTS
from tinyml_tool.train.settings import TrainSettings

SCHEMA = 1
ARRAYS_FILE = "arrays.npz"
JOB_FILE = "job.json"


@dataclass(frozen=True)
class Job:
    """What the engine is asked to do in the folder `work`."""

    work: Path
    model: Mapping[str, Any]
    """`{"architecture": {...}}`, or `{"file": path}` of a `.keras` file to go on from."""
    task: str
    """`classification` or `reconstruction`."""
    classes: int
    settings: TrainSettings
    class_weights: tuple[float, ...] | None = None
    mode: str = "train"
    """A module of `engine/modes/`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """That mode's own."""

    def to_json(self) -> dict[str, Any]:
        """As the engine reads it."""
        fit = asdict(self.settings)
        del fit["balance"]
        return {
            "schema": SCHEMA,
            "mode": self.mode,
            "arrays": str(self.work / ARRAYS_FILE),
            "work": str(self.work),
            "model": dict(self.model),
            "task": self.task,
            "classes": self.classes,
            "fit": {**fit, "class_weights": self.class_weights and list(self.class_weights)},
            "options": dict(self.options),
        }


def write_job(job: Job, x: NDArray[np.float32], y: NDArray[np.int64], parts: NDArray[Any]) -> Path:
    """Write the job and its samples into its folder; returns the job file."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, name in enumerate(PARTS):
        arrays |= {f"x_{name}": x[parts == number], f"y_{name}": y[parts == number]}
    job.work.mkdir(parents=True, exist_ok=True)
    np.savez(job.work / ARRAYS_FILE, **arrays)  # type: ignore[arg-type]
    path = job.work / JOB_FILE
    path.write_text(json.dumps(job.to_json(), indent=2) + "\n")
    return path


def balanced_weights(labels: NDArray[np.int64], classes: int) -> tuple[float, ...]:
    """For each class count / (classes * its count); 0 for a class without samples."""
    counts = np.bincount(labels, minlength=classes)
    weights = len(labels) / (np.maximum(counts, 1) * np.count_nonzero(counts)) * (counts > 0)
    return tuple(float(weight) for weight in weights)
