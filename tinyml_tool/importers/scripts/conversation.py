"""How a converter script talks to the tool; needs numpy and nothing of the package."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Job = dict[str, Any]


class RefusalError(Exception):
    """What the user is to be told; `kind` is "input", "unsupported" or "missing"."""

    def __init__(
        self, kind: str, message: str, hint: str | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.event = {"error": kind, "message": message, "hint": hint, "details": list(details)}


def tell(event: dict[str, Any]) -> None:
    """Say something to the tool."""
    with os.fdopen(os.dup(int(os.environ["TINYML_EVENTS"])), "w", encoding="utf-8") as stream:
        stream.write(json.dumps(event) + "\n")


def main(convert: Callable[[Job], dict[str, Any]]) -> None:
    """Read the job, convert, and tell how that ended."""
    job = json.loads(sys.stdin.read())
    try:
        tell({"done": convert(job)})
    except RefusalError as refusal:
        tell(refusal.event)
    except MemoryError:
        tell(RefusalError("unsupported", "memory ran out", "give a smaller model").event)


def source_inputs(job: Job, shapes: Sequence[Sequence[int]]) -> list[list[NDArray[np.float32]]]:
    """Inputs to compare on, in the source's layout: the user's, or seeded random ones.

    The user's file was checked by the tool: arrays `0`, `1`, ... of samples by input.  Samples in
    another order of axes (channels last) are brought into the source's.
    """
    count = int(job["samples"])
    if job.get("data"):
        with np.load(job["data"], allow_pickle=False) as arrays:
            columns = [arrays[str(place)][:count] for place in range(len(shapes))]
        fitted = [_in_layout(*pair) for pair in zip(columns, shapes, strict=True)]
        return [list(vector) for vector in zip(*fitted, strict=True)]
    random = np.random.default_rng(int(job["seed"]))
    return [
        [random.standard_normal(tuple(shape)).astype(np.float32) for shape in shapes]
        for _ in range(count)
    ]


def _in_layout(column: NDArray[Any], shape: Sequence[int]) -> list[NDArray[np.float32]]:
    wanted = tuple(shape)[1:]
    found = column.shape[1:]
    if found == wanted or (len(found) != len(wanted) and np.prod(found) == np.prod(wanted)):
        return [np.asarray(one, np.float32).reshape(tuple(shape)) for one in column]
    # Channels last is what such files hold if not the source's own layout.
    orders = [(len(wanted) - 1, *range(len(wanted) - 1)), *permutations(range(len(wanted)))]
    for order in orders:
        if len(found) == len(wanted) and tuple(found[axis] for axis in order) == wanted:
            moved = (np.transpose(one, order) for one in column)
            return [np.ascontiguousarray(one, np.float32).reshape(tuple(shape)) for one in moved]
    raise RefusalError(
        "input",
        f"a sample has shape {list(found)}, the source takes {list(wanted)}",
        "preprocess the data exactly as for training",
    )


def save_comparison(
    path: str,
    inputs: Sequence[Sequence[NDArray[Any]]],
    outputs: Sequence[Sequence[NDArray[Any]]],
) -> None:
    """Write `in_<place>` and `out_<place>`, each with an axis of samples in front."""
    arrays: dict[str, Any] = {
        f"in_{i}": np.stack(column) for i, column in enumerate(zip(*inputs, strict=True))
    }
    arrays |= {f"out_{i}": np.stack(column) for i, column in enumerate(zip(*outputs, strict=True))}
    np.savez(path, **arrays)


def static_shapes(
    job: Job, names: Sequence[str], shapes: Sequence[Sequence[int | None]]
) -> list[list[int]]:
    """The inputs' shapes with batch 1, or as the user gives them; refuses, listing open lengths."""
    given = job.get("shapes") or []
    if given:
        if len(given) != len(shapes):
            raise RefusalError(
                "input", f"the model has {len(shapes)} inputs, {len(given)} shapes were given"
            )
        return [list(map(int, shape)) for shape in given]
    details = [
        f"input '{name}': axis {axis} has no fixed length"
        for name, shape in zip(names, shapes, strict=True)
        for axis, length in enumerate(shape)
        if axis > 0 and not length
    ]
    if details:
        raise RefusalError(
            "unsupported",
            f"the model has no static shapes: {details[0]}",
            "give the shape of each input, such as --shape 1,49,10,1",
            details,
        )
    return [[1, *(int(length or 1) for length in shape[1:])] for shape in shapes]
