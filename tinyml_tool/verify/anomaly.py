"""How well an anomaly model tells anomalies from normal samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError


@dataclass(frozen=True)
class Threshold:
    """The error above which a sample is called an anomaly."""

    value: float
    reason: str
    """Where it comes from."""


@dataclass(frozen=True)
class RocPoint:
    """What a threshold gives, as shares of the normal samples and of the anomalies."""

    threshold: float | None
    """None: everything is called an anomaly."""
    false_alarms: float
    detected: float

    def to_json(self) -> dict[str, float | None]:
        """As reports hold it."""
        return asdict(self)


@dataclass(frozen=True)
class AnomalyFigures:
    """A detector's figures on samples of which some are anomalies."""

    normal: int
    anomalies: int
    auc: float | None
    """Area under the ROC curve: the chance that an anomaly has a larger error than a normal
    sample; None where one of the two is missing."""
    threshold: Threshold
    detected: int
    """Anomalies above the threshold."""
    false_alarms: int
    """Normal samples above the threshold."""
    median_normal: float | None
    median_anomaly: float | None
    roc: tuple[RocPoint, ...] = ()
    """From no false alarms to all; empty where normal samples or anomalies are missing."""

    @property
    def at_threshold(self) -> RocPoint | None:
        """The point of the chosen threshold; None where there is no curve."""
        if not self.roc:
            return None
        return RocPoint(
            self.threshold.value, self.false_alarms / self.normal, self.detected / self.anomalies
        )

    def to_json(self) -> dict[str, Any]:
        """As reports hold it."""
        return {
            "normal": self.normal,
            "anomalies": self.anomalies,
            "auc": self.auc,
            "threshold": self.threshold.value,
            "threshold_reason": self.threshold.reason,
            "detected": self.detected,
            "false_alarms": self.false_alarms,
            "median_error_normal": self.median_normal,
            "median_error_anomaly": self.median_anomaly,
            "roc": [point.to_json() for point in self.roc],
        }


def reconstruction_errors(
    inputs: NDArray[np.float64], outputs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The mean squared difference of each sample, (count, ...) against (count, ...)."""
    difference = (inputs - outputs).reshape(len(inputs), -1)
    return np.asarray((difference * difference).mean(axis=1))


def area_under_roc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """The share of (positive, negative) pairs in which the positive has the higher score.

    Ties count half.  None where there is no pair.  Source: Mann and Whitney 1947.

    >>> area_under_roc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True]))
    0.875
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    above = ranks[positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def threshold_for(errors: NDArray[np.float64], false_alarms: float) -> Threshold:
    """The error that a share of `false_alarms` of normal validation samples exceeds.

    Anomalies are not needed to choose it, as in practice there are none.  Raises InputError for a
    share outside 0 to 1, and without samples.
    """
    if not 0 <= false_alarms < 1 or not len(errors):
        raise InputError(f"a share of {false_alarms:g} false alarms among {len(errors)} samples")
    value = float(np.quantile(errors, 1 - false_alarms, method="higher"))
    above = int((errors > value).sum())
    return Threshold(
        value,
        f"{above} of {len(errors)} normal validation samples exceed it "
        f"(asked for: {false_alarms:.0%} false alarms)",
    )


def judge(
    errors: NDArray[np.float64], anomalous: NDArray[np.bool_], threshold: Threshold
) -> AnomalyFigures:
    """The figures of a detector that calls what exceeds the threshold an anomaly."""
    called = errors > threshold.value
    return AnomalyFigures(
        normal=int((~anomalous).sum()),
        anomalies=int(anomalous.sum()),
        auc=area_under_roc(errors, anomalous),
        threshold=threshold,
        detected=int((called & anomalous).sum()),
        false_alarms=int((called & ~anomalous).sum()),
        median_normal=_median(errors[~anomalous]),
        median_anomaly=_median(errors[anomalous]),
        roc=roc_curve(errors, anomalous),
    )


def roc_curve(errors: NDArray[np.float64], anomalous: NDArray[np.bool_]) -> tuple[RocPoint, ...]:
    """The corners of the ROC curve: one point a threshold, but none on a line between others.

    The area under their connection is `area_under_roc`.  Empty without both kinds of samples.
    Source: Fawcett 2006.

    >>> [(p.false_alarms, p.detected) for p in roc_curve(np.arange(4.0), np.arange(4) > 1)]
    [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
    """
    anomalies, normal = int(anomalous.sum()), int((~anomalous).sum())
    if not anomalies or not normal:
        return ()
    values = np.unique(errors)[::-1]
    above = len(errors) - np.searchsorted(np.sort(errors), values, side="right")
    found = anomalies - np.searchsorted(np.sort(errors[anomalous]), values, side="right")
    counts = [(int(n - d), int(d)) for n, d in zip(above, found, strict=True)]
    steps = [*zip(values.tolist(), counts, strict=True), (None, (normal, anomalies))]
    kept: list[tuple[float | None, tuple[int, int]]] = []
    for step in steps:
        while len(kept) > 1 and _on_a_line(kept[-2][1], kept[-1][1], step[1]):
            kept.pop()
        kept.append(step)
    return tuple(RocPoint(value, n / normal, d / anomalies) for value, (n, d) in kept)


def _on_a_line(one: tuple[int, int], middle: tuple[int, int], other: tuple[int, int]) -> bool:
    (a, b), (c, d), (e, f) = one, middle, other
    return (c - a) * (f - b) == (e - a) * (d - b)


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None


def threshold_between(errors: NDArray[np.float64], anomalous: NDArray[np.bool_]) -> Threshold:
    """The error that parts these very samples best: detection rate minus rate of false alarms.

    Source: Youden 1950.  Too optimistic for other samples, which the reason says.
    """
    candidates = np.unique(errors)
    rates = [
        (errors[anomalous] > value).mean() - (errors[~anomalous] > value).mean()
        for value in candidates
    ]
    best = float(candidates[int(np.argmax(rates))])
    return Threshold(best, "parts these very samples best, so others will do worse")
