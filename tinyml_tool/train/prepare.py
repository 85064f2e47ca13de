"""From a data set to what a model is trained on: inputs, labels and parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.train.architecture import Architecture
from tinyml_tool.train.dataset import TEST, TRAIN, VALIDATION, Dataset, require_classes
from tinyml_tool.train.input_shape import shaped
from tinyml_tool.train.scaling import Scaling, ScalingKind, fit_scaling, usual_scaling
from tinyml_tool.train.splits import SplitShares, split_dataset

Features: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""Raw samples (count, ...) to features (count, ...): what the device computes before the model."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set ready for training."""

    data: Dataset
    x: NDArray[np.float32]
    """(count, *input shape): what the model takes."""
    y: NDArray[np.int64]
    parts: NDArray[np.int8]
    scaling: Scaling
    normal: str | None = None
    """For anomalies: the class that is no anomaly."""

    def part(self, part: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Inputs and labels of TRAIN, VALIDATION or TEST."""
        chosen = self.parts == part
        return self.x[chosen], self.y[chosen]

    @property
    def sha256(self) -> str:
        """Of inputs, labels and parts."""
        digest = hashlib.sha256()
        for array in (self.x, self.y, self.parts):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def prepare(
    data: Dataset,
    arch: Architecture,
    *,
    shares: SplitShares,
    scaling: ScalingKind | None = None,
    features: Features | None = None,
    normal: str | None = None,
) -> Prepared:
    """Split, compute features, scale by figures of the training part, and shape the samples.

    Where features are computed, they are taken as they are unless `scaling` says otherwise.  An
    autoencoder trains on class `normal` alone; all others are for the test.  Raises InputError.
    """
    if arch.reconstructs:
        normal = _normal_class(data, normal)
    elif normal is not None:
        raise InputError("a normal class is for --arch autoencoder only", hint="leave it out")
    else:
        require_classes(data)
    parts = parts_of(data, shares, normal)
    kind = scaling or ("none" if features else usual_scaling(data))
    values = apply_features(data.samples, features)
    fitted = fit_scaling(kind, values[parts == TRAIN])
    x = shaped(fitted.apply(values), arch)
    return Prepared(data, x, data.labels, parts, fitted, normal)


def apply_features(samples: NDArray[Any], features: Features | None) -> NDArray[Any]:
    """The features of samples, checked; without features the samples themselves."""
    if features is None:
        return samples
    values = features(samples)
    if len(values) != len(samples) or not np.isfinite(values).all():
        raise InputError(
            f"the features of {len(samples)} samples have shape {values.shape}, or hold NaN",
            hint="features must give one finite array a sample",
        )
    return values


def _normal_class(data: Dataset, normal: str | None) -> str:
    if normal is None and len(data.classes) == 1:
        return data.classes[0]
    name = normal or "normal"
    if name not in data.classes:
        raise InputError(
            f"{data.name}: no class is '{name}'; there are {', '.join(data.classes)}",
            hint="name the class that is no anomaly with --normal",
        )
    return name


def parts_of(data: Dataset, shares: SplitShares, normal: str | None) -> NDArray[np.int8]:
    """The part of each sample; with a class `normal`, all others are for the test.

    Raises InputError where a part would be empty.
    """
    if normal is None:
        return split_dataset(data, shares)
    usual = data.labels == data.classes.index(normal)
    chosen = np.flatnonzero(usual)
    parts = np.full(len(data), TEST, np.int8)
    parts[chosen] = split_dataset(_subset(data, chosen), shares)
    if not ((parts == TRAIN).any() and (parts == VALIDATION).any()):
        raise InputError(f"{data.name}: too few samples of class '{normal}'")
    return parts


def _subset(data: Dataset, chosen: NDArray[np.intp]) -> Dataset:
    return Dataset(
        data.name,
        data.kind,
        data.samples[chosen],
        np.zeros(len(chosen), np.int64),
        (data.classes[int(data.labels[chosen[0]])],) if len(chosen) else data.classes[:1],
        None if data.groups is None else data.groups[chosen],
        None if data.split is None else data.split[chosen],
        data.sample_rate,
    )
