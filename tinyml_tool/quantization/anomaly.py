"""How well a model that rebuilds its input tells anomalies from normal samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def area_under_roc(errors: NDArray[np.float64], anomalies: NDArray[np.bool_]) -> float | None:
    """The chance that an anomaly has a larger error than a normal sample; ties count half.

    None where either is missing.  Source: the rank form of Mann and Whitney's U.
    """
    bad, good = errors[anomalies], errors[~anomalies]
    if not len(bad) or not len(good):
        return None
    larger = (bad[:, None] > good[None, :]).sum() + 0.5 * (bad[:, None] == good[None, :]).sum()
    return float(larger / (len(bad) * len(good)))


def rebuild_errors(
    inputs: NDArray[np.float64], outputs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean squared difference of each sample."""
    difference = inputs.reshape(len(inputs), -1) - outputs.reshape(len(outputs), -1)
    return np.asarray((difference**2).mean(axis=1))
