"""The samples of a job: tensors ready for the model, in a training, a validation, a test part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Part:
    """Samples as float32 (count, *shape) and labels as int64 (count,)."""

    x: Any
    y: Any

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False)
class Arrays:
    """All parts; the test part may be empty."""

    train: Part
    validation: Part
    test: Part

    @property
    def shape(self) -> tuple[int, ...]:
        """One sample's shape."""
        return tuple(self.train.x.shape[1:])


def load_arrays(path: Path) -> Arrays:
    """Read the `.npz` that a job names.  Raises OSError, KeyError, ValueError for another file."""
    with np.load(path) as file:
        parts = [
            Part(file[f"x_{name}"].astype(np.float32), file[f"y_{name}"].astype(np.int64))
            for name in ("train", "validation", "test")
        ]
    return Arrays(*parts)
