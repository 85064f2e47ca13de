"""Divides a data set into training, validation and test, the same way every time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import PARTS, TEST, TRAIN, UNASSIGNED, VALIDATION, Dataset


@dataclass(frozen=True)
class SplitShares:
    """The shares of all samples that go into validation and test; the rest is for training."""

    validation: float = 0.15
    test: float = 0.2
    seed: int = 0


def split_dataset(data: Dataset, shares: SplitShares) -> NDArray[np.int8]:
    """The part of each sample: what the data assign, and the rest by shares.

    Samples of a group stay together; without groups each class is divided by itself.  Where the
    data name a test part, validation samples come from the rest of them.  Raises InputError where
    a part would be empty.
    """
    if min(shares.validation, shares.test) <= 0 or shares.validation + shares.test >= 1:
        raise InputError(
            f"shares of {shares.validation:g} for validation and {shares.test:g} for test",
            hint="give shares above 0 that leave something for training",
        )
    given = data.split
    parts = given.copy() if given is not None else np.full(len(data), UNASSIGNED, np.int8)
    if not (parts == TEST).any():
        _take(data, parts, TEST, shares.test, shares.seed)
    if not (parts == VALIDATION).any():
        rest = shares.validation / (1 - shares.test)
        _take(data, parts, VALIDATION, rest, shares.seed + 1)
    parts[parts == UNASSIGNED] = TRAIN
    _check(data, parts)
    return parts


def split_sha256(parts: NDArray[np.int8]) -> str:
    """The SHA-256 of a division."""
    return hashlib.sha256(parts.astype(np.int8).tobytes()).hexdigest()


def _take(data: Dataset, parts: NDArray[np.int8], part: int, share: float, seed: int) -> None:
    """Give `share` of the samples that are free, or only in training, to `part`."""
    free = parts == UNASSIGNED
    if not free.any():
        free = parts == TRAIN
    rng = np.random.default_rng(seed)
    if data.groups is not None:
        chosen = _whole_groups(data.groups, np.flatnonzero(free), share, rng)
    else:
        chosen = [
            index
            for label in range(len(data.classes))
            for index in _some(np.flatnonzero(free & (data.labels == label)), share, rng)
        ]
    parts[chosen] = part


def _some(indices: NDArray[np.intp], share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """A share of `indices`, at least one where there are three or more."""
    count = max(round(share * len(indices)), int(len(indices) >= 3))
    return rng.permutation(indices)[:count]


def _whole_groups(
    groups: NDArray[np.int64], free: NDArray[np.intp], share: float, rng: np.random.Generator
) -> Sequence[int]:
    """All samples of so many groups, in random order, as come nearest to the share."""
    chosen: list[int] = []
    wanted = share * len(free)
    for group in rng.permutation(np.unique(groups[free])):
        members = free[groups[free] == group].tolist()
        if chosen and abs(len(chosen) + len(members) - wanted) > abs(len(chosen) - wanted):
            continue
        chosen += members
        if len(chosen) >= wanted:
            break
    return chosen


def _check(data: Dataset, parts: NDArray[np.int8]) -> None:
    counts = [int((parts == part).sum()) for part in range(len(PARTS))]
    if min(counts) == 0:
        what = f"{len(np.unique(data.groups))} groups" if data.groups is not None else ""
        raise InputError(
            f"{data.name}: of {what or f'{len(data)} samples'}, "
            + ", ".join(f"{n} samples are for {p}" for p, n in zip(PARTS, counts, strict=True)),
            hint="more samples are needed (three groups at least), or other shares",
        )
    missing = set(np.unique(data.labels).tolist()) - set(data.labels[parts == TRAIN].tolist())
    if missing:
        names = ", ".join(f"'{data.classes[label]}'" for label in sorted(missing))
        raise InputError(
            f"{data.name}: no training sample is of class {names}",
            hint="add samples of it, or choose another --split-seed",
        )
