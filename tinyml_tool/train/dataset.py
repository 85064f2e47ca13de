"""A data set as a value: labelled samples of one shape."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError

Kind: TypeAlias = Literal["sound", "image", "series", "vector"]
UNASSIGNED, TRAIN, VALIDATION, TEST = -1, 0, 1, 2
PARTS = ("train", "validation", "test")
"""Names of the parts, at the index that `split` holds."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their classes.  All arrays are read-only and equally long."""

    name: str
    kind: Kind
    samples: NDArray[Any]
    """(count, *shape): sound (samples,), image (height, width, channels), series (time, channels),
    vector (features,)."""
    labels: NDArray[np.int64]
    """(count,), each an index into `classes`."""
    classes: tuple[str, ...]
    groups: NDArray[np.int64] | None = None
    """(count,): samples of one group (a speaker, a wearer) belong into one part."""
    split: NDArray[np.int8] | None = None
    """(count,): the part the data themselves assign, or UNASSIGNED."""
    sample_rate: int | None = None
    """Of sound, in hertz."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """One sample's shape."""
        return tuple(self.samples.shape[1:])

    @property
    def counts(self) -> tuple[int, ...]:
        """Samples of each class."""
        return tuple(np.bincount(self.labels, minlength=len(self.classes)).tolist())

    @cached_property
    def sha256(self) -> str:
        """Of all content: type, shape and bytes of samples, labels, names, groups and split."""
        digest = hashlib.sha256()
        for array in (self.samples, self.labels, self.groups, self.split):
            if array is not None:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
            digest.update(b"\0")
        digest.update("\0".join(self.classes).encode())
        return digest.hexdigest()


def make_dataset(
    name: str,
    kind: Kind,
    samples: NDArray[Any],
    labels: NDArray[Any],
    classes: tuple[str, ...],
    *,
    groups: NDArray[Any] | None = None,
    split: NDArray[Any] | None = None,
    sample_rate: int | None = None,
) -> Dataset:
    """Check all that must hold for any data set, and make one.  Raises InputError."""
    if not len(labels):
        raise InputError(f"{name}: has no samples", hint="name a data set that is not empty")
    for what, array in (("samples", samples), ("groups", groups), ("split", split)):
        if array is not None and len(array) != len(labels):
            raise InputError(
                f"{name}: {len(array)} {what}, but {len(labels)} labels",
                hint="give one of each for every sample",
            )
    if not all(samples.shape[1:]) or samples.ndim < 2:
        raise InputError(
            f"{name}: samples of shape {samples.shape[1:]} hold nothing",
            hint="each sample needs at least one number",
        )
    _check_numbers(name, samples)
    _check_classes(name, classes)
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if outside.size:
        raise InputError(
            f"{name}: label {labels[outside[0]]} of sample {outside[0]} is none of the "
            f"{len(classes)} classes",
            hint="count labels from 0, and name as many classes as there are",
        )
    return Dataset(
        name,
        kind,
        _frozen(samples),
        _frozen(labels.astype(np.int64)),
        classes,
        None if groups is None else _frozen(groups.astype(np.int64)),
        None if split is None else _frozen(split.astype(np.int8)),
        sample_rate,
    )


def require_classes(data: Dataset) -> None:
    """Raise InputError unless at least two classes have samples."""
    present = [name for name, count in zip(data.classes, data.counts, strict=True) if count]
    if len(present) < 2:
        raise InputError(
            f"{data.name}: all {len(data)} samples are of class '{present[0]}'; a classifier "
            "needs at least two",
            hint="add samples of another class, or detect anomalies with --arch autoencoder",
        )


def _check_numbers(name: str, samples: NDArray[Any]) -> None:
    if samples.dtype.kind not in "biuf":
        raise InputError(
            f"{name}: samples are {samples.dtype}, not numbers", hint="save them as numbers"
        )
    if samples.dtype.kind != "f":
        return
    bad = ~np.isfinite(samples).reshape(len(samples), -1)
    if bad.any():
        sample = int(np.flatnonzero(bad.any(axis=1))[0])
        raise InputError(
            f"{name}: sample {sample} holds NaN or infinity; "
            f"{int(bad.any(axis=1).sum())} of {len(samples)} samples do",
            hint="remove these samples or fill the gaps",
        )


def _check_classes(name: str, classes: tuple[str, ...]) -> None:
    """Names go into a file of one a line, into tables and onto displays."""
    for one in classes:
        if not one or one != one.strip() or not one.isprintable():
            raise InputError(
                f"{name}: {one!r} is no name of a class",
                hint="names are text that can be shown, without spaces around it",
            )
        if classes.count(one) > 1:
            raise InputError(
                f"{name}: two classes are named '{one}'", hint="give each a name of its own"
            )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array
