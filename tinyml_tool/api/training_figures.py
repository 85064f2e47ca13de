"""What the answers of a trained model are worth, as the record tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.train.prepare import Prepared
from tinyml_tool.verify.anomaly import area_under_roc, reconstruction_errors
from tinyml_tool.verify.confusion import Confusion, confusion


@dataclass(frozen=True)
class Figures:
    """A classifier's confusion, or an anomaly model's error and AUC, on one part of the data."""

    samples: int
    confusion: Confusion | None = None
    mean_error: float | None = None
    auc: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As training.json holds it."""
        if self.confusion is not None:
            return self.confusion.to_json()
        return {"samples": self.samples, "mean_error": self.mean_error, "auc": self.auc}


def figures_of(scores: NDArray[np.float32], prepared: Prepared, part: int) -> Figures:
    """Judge a model's answers (count, ...) to one part of the data."""
    x, y = prepared.part(part)
    if prepared.normal is None:
        answers = scores.reshape(len(x), -1).argmax(axis=1).astype(np.int64)
        return Figures(len(x), confusion(y, answers, prepared.data.classes))
    errors = reconstruction_errors(x.astype(np.float64), scores.astype(np.float64))
    anomalous = y != prepared.data.classes.index(prepared.normal)
    return Figures(len(x), mean_error=float(errors.mean()), auc=area_under_roc(errors, anomalous))
