"""Whether a device answers like the reference, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import DeviceError, MismatchError

Outputs = Sequence[NDArray[Any]]
"""One inference's outputs, in the model's order."""


@dataclass(frozen=True)
class Agreement:
    """What was compared between device and reference."""

    samples: int
    samples_different: int
    values: int
    values_different: int
    first_different: int | None = None
    """The first sample whose outputs differ, from 0."""

    @property
    def exact(self) -> bool:
        """Whether something was compared and nothing differed."""
        return self.values > 0 and self.values_different == 0

    def to_json(self) -> dict[str, Any]:
        """As reports hold it."""
        return {
            "samples": self.samples,
            "samples_different": self.samples_different,
            "values_compared": self.values,
            "values_different": self.values_different,
            "first_different_sample": self.first_different,
        }


def agreement(expected: Sequence[Outputs], actual: Sequence[Outputs]) -> Agreement:
    """Compare all outputs of all samples as bits.  Raises DeviceError where answers are missing."""
    if len(expected) != len(actual):
        raise DeviceError(f"{len(expected)} samples gave {len(actual)} answers")
    values = different = samples_different = 0
    first: int | None = None
    for number, (wanted, found) in enumerate(zip(expected, actual, strict=True)):
        wrong = sum(_different(w, f) for w, f in zip(wanted, found, strict=True))
        values += sum(array.size for array in wanted)
        different += wrong
        samples_different += wrong > 0
        if wrong and first is None:
            first = number
    return Agreement(len(expected), samples_different, values, different, first)


def require_agreement(name: str, found: Agreement) -> None:
    """Raise MismatchError unless all answers agree."""
    if found.exact:
        return
    raise MismatchError(
        f"{name}: {found.samples_different} of {found.samples} samples give other outputs on the "
        f"device than in the reference, first sample {found.first_different}",
        hint="compare layer by layer with `tinyml validate`",
    )


def _different(expected: NDArray[Any], actual: NDArray[Any]) -> int:
    if expected.dtype != actual.dtype or expected.size != actual.size:
        raise MismatchError(
            f"expected {expected.size} values of {expected.dtype}, got {actual.size} of "
            f"{actual.dtype}"
        )
    kind = f"u{expected.dtype.itemsize}"
    wanted, found = (
        np.ascontiguousarray(array).reshape(-1).view(kind) for array in (expected, actual)
    )
    return int((wanted != found).sum())
