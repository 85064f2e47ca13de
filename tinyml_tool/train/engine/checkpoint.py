"""The state of a training after an epoch, on disk: complete, or the one before it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

FILE_NAME = "checkpoint.npz"


@dataclass
class Progress:
    """How far a training has come; it changes as it goes on."""

    epoch: int = 0
    """Epochs that are done."""
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    """The epoch of the best validation loss, counted from 1; 0: none yet."""
    best_loss: float = float("inf")
    best_weights: list[Any] = field(default_factory=list)
    """The model's variables after that epoch."""


def save(folder: Path, model: keras.Model, progress: Progress) -> None:
    """Write variables of model and optimizer, and the progress, in one step."""
    values: dict[str, Any] = {}
    for name, arrays in (
        ("model", state(model.variables)),
        ("optimizer", state(model.optimizer.variables)),
        ("best", progress.best_weights),
    ):
        values |= {f"{name}.{i}": array for i, array in enumerate(arrays)}
    facts = {
        "epoch": progress.epoch,
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "best_loss": progress.best_loss,
    }
    values["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    temporary = folder / f".{FILE_NAME}"
    with temporary.open("wb") as file:
        np.savez(file, **values)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / FILE_NAME)


def restore(folder: Path, model: keras.Model) -> Progress:
    """Put the saved state into `model` and its built optimizer; without one, a new progress."""
    path = folder / FILE_NAME
    if not path.is_file():
        return Progress()
    with np.load(path) as file:
        facts = json.loads(file["facts"].tobytes())
        assign(model.variables, _numbered(file, "model"))
        assign(model.optimizer.variables, _numbered(file, "optimizer"))
        return Progress(**facts, best_weights=_numbered(file, "best"))


def state(variables: Sequence[Any]) -> list[Any]:
    """The values of variables, as arrays of their own."""
    return [np.array(variable) for variable in variables]


def assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    """Set variables.  Raises ValueError where they are not those that were saved."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _numbered(file: Any, name: str) -> list[Any]:  # noqa: ANN401 - an open .npz
    count = sum(key.startswith(f"{name}.") for key in file.files)
    return [file[f"{name}.{i}"] for i in range(count)]
