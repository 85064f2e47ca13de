"""From raw numbers to the numbers a model takes, in a form that a device can compute too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import Dataset

ScalingKind: TypeAlias = Literal["none", "unit", "symmetric", "standardize"]
SCALINGS: tuple[str, ...] = get_args(ScalingKind)


@dataclass(frozen=True)
class Scaling:
    """`(raw - offset) / divisor`, each a number for all or one for each index of the last axis."""

    kind: ScalingKind
    offset: tuple[float, ...] = (0.0,)
    divisor: tuple[float, ...] = (1.0,)

    def apply(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Scale samples of shape (..., channels).  Computed in double, rounded once."""
        real = raw.astype(np.float64)
        return np.asarray((real - self.offset) / np.array(self.divisor), np.float32)

    def on_device(
        self, scale: float, zero_point: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Factor and offset a channel: q = round(raw * factor + offset) is the quantized input.

        This folds the scaling into the input's quantization q = round(x / scale) + zero_point.
        """
        divisor = np.array(self.divisor) * scale
        return 1 / divisor, zero_point - np.array(self.offset) / divisor

    def to_json(self) -> dict[str, Any]:
        """As training.json stores it."""
        return {"kind": self.kind, "offset": list(self.offset), "divisor": list(self.divisor)}


def read_scaling(data: Mapping[str, Any]) -> Scaling:
    """What `to_json` gave.  Raises KeyError, TypeError for anything else."""
    return Scaling(data["kind"], tuple(data["offset"]), tuple(data["divisor"]))


def usual_scaling(data: Dataset) -> ScalingKind:
    """What suits raw samples: bytes to [0, 1], sound as it is, measurements standardized."""
    if data.samples.dtype == np.uint8:
        return "unit"
    return "standardize" if data.kind in ("series", "vector") else "none"


def fit_scaling(kind: ScalingKind, raw: NDArray[Any]) -> Scaling:
    """The scaling of this kind, with figures from training samples (count, ..., channels).

    `unit` and `symmetric` map the range of bytes (0 to 255), or for other numbers the range that
    occurs, to [0, 1] and [-1, 1].  `standardize` gives each channel (last axis of two or more; a
    vector's features each) mean 0 and deviation 1; a constant channel is only shifted.  Raises
    InputError for an unknown kind.
    """
    if kind == "none":
        return Scaling(kind)
    if kind in ("unit", "symmetric"):
        low, high = (0.0, 255.0) if raw.dtype == np.uint8 else (float(raw.min()), float(raw.max()))
        span = (high - low) or 1.0
        if kind == "unit":
            return Scaling(kind, (low,), (span,))
        return Scaling(kind, (low + span / 2,), (span / 2,))
    if kind == "standardize":
        flat = raw.reshape(-1, raw.shape[-1]).astype(np.float64)
        mean, deviation = flat.mean(axis=0), flat.std(axis=0)
        # Rounding gives a constant channel a mean beside its value, and a tiny deviation.
        constant = flat.min(axis=0) == flat.max(axis=0)
        mean[constant], deviation[constant] = flat[0][constant], 1.0
        return Scaling(kind, tuple(mean.tolist()), tuple(deviation.tolist()))
    raise InputError(f"unknown scaling '{kind}'", hint=f"one of: {', '.join(SCALINGS)}")
