"""Samples of the user's data: inputs of a float model, with or without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.array_file import INPUT_NAMES, LABEL_NAMES, load_arrays
from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph, Tensor

Vector: TypeAlias = tuple[NDArray[np.float32], ...]
"""The inputs of one inference, each with its leading 1."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs as real numbers, each of batch 1; labels are class numbers, where there are any."""

    source: str
    """Where they come from, for messages and records."""
    vectors: tuple[Vector, ...]
    labels: tuple[int, ...] | None = None
    is_random: bool = False
    normal: int = 0
    """For models that rebuild their input: the label of what is no anomaly."""

    def __len__(self) -> int:
        return len(self.vectors)

    def head(self, count: int) -> Samples:
        """The first `count`."""
        labels = self.labels and self.labels[:count]
        return replace(self, vectors=self.vectors[:count], labels=labels)

    def tail(self, start: int) -> Samples:
        """All from number `start` on."""
        labels = self.labels and self.labels[start:]
        return replace(self, vectors=self.vectors[start:], labels=labels)

    def spread(self, count: int) -> Samples:
        """`count` of them, evenly spread, so that data sorted by class gives all classes."""
        if count >= len(self):
            return self
        chosen = np.linspace(0, len(self) - 1, count).round().astype(int)
        labels = self.labels and tuple(self.labels[i] for i in chosen)
        return replace(self, vectors=tuple(self.vectors[i] for i in chosen), labels=labels)

    def without(self, others: Samples) -> Samples:
        """Those that are not among `others`, which were chosen of these."""
        gone = {id(vector) for vector in others.vectors}
        kept = [i for i, vector in enumerate(self.vectors) if id(vector) not in gone]
        labels = self.labels and tuple(self.labels[i] for i in kept)
        return replace(self, vectors=tuple(self.vectors[i] for i in kept), labels=labels)


def read_samples(path: Path, graph: Graph) -> Samples:
    """Read `.npz` (samples and, if it has them, labels) or `.npy` (samples alone).

    In a `.npz` the samples of a model with one input are the array `x`, or one named like the
    input, or the only one; labels are `y` or `labels`.  For several inputs there is an array named
    like each.  The first axis counts samples.  Raises InputError that tells what was expected.
    """
    arrays = load_arrays(path)
    labels = None
    for name in LABEL_NAMES:
        if name in arrays and name not in [t.name for t in _inputs(graph)]:
            labels = arrays.pop(name)
            break
    columns = _columns(path.name, arrays, graph)
    counts = {len(column) for column in columns}
    if len(counts) > 1:
        raise InputError(f"{path.name}: the inputs have different numbers of samples: {counts}")
    (count,) = counts
    vectors = tuple(zip(*columns, strict=True))
    checked = None if labels is None else _labels(path.name, labels, count)
    return Samples(path.name, vectors, checked)


def random_samples(graph: Graph, count: int, seed: int = 0) -> Samples:
    """Samples made of uniform noise from -1 to 1: only for trying things out."""
    generator = np.random.default_rng(seed)
    shapes = [tensor.shape for tensor in _inputs(graph)]
    vectors = tuple(
        tuple(generator.uniform(-1, 1, shape).astype(np.float32) for shape in shapes)
        for _ in range(count)
    )
    return Samples(f"random numbers from -1 to 1 (seed {seed})", vectors, is_random=True)


def _inputs(graph: Graph) -> list[Tensor]:
    return [graph.tensor(index) for index in graph.inputs]


def _columns(
    name: str, arrays: dict[str, NDArray[Any]], graph: Graph
) -> list[list[NDArray[np.float32]]]:
    tensors = _inputs(graph)
    found = [arrays.get(tensor.name) for tensor in tensors]
    if len(tensors) == 1 and found[0] is None:
        named = next((arrays[key] for key in INPUT_NAMES if key in arrays), None)
        only = next(iter(arrays.values())) if len(arrays) == 1 else None
        found = [only if named is None else named]
    columns = [
        _column(name, array, tensor)
        for array, tensor in zip(found, tensors, strict=True)
        if array is not None
    ]
    if len(columns) < len(tensors):
        expected = ", ".join(f"'{t.name}' {_text(t.shape)}" for t in tensors)
        raise InputError(
            f"{name} holds {', '.join(map(repr, sorted(arrays))) or 'no array'}, "
            f"but the model's inputs are {expected}",
            hint="name the array of samples `x`"
            if len(tensors) == 1
            else "name the arrays like the inputs",
        )
    return columns


def _column(name: str, array: NDArray[Any], tensor: Tensor) -> list[NDArray[np.float32]]:
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{name} holds {array.dtype}, not numbers", hint="save samples as arrays of numbers"
        )
    if array.ndim == 0 or len(array) == 0:
        raise InputError(f"{name} holds no samples", hint="give at least one sample")
    one = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
    if array.shape[1:] not in _same_layout(one):
        raise InputError(
            f"{name}: a sample has shape {_text(array.shape[1:])}, the model takes {_text(one)}",
            hint=_shape_hint(array.shape[1:], one),
        )
    with np.errstate(over="ignore"):
        real = np.asarray(array, np.float32)
    bad = np.flatnonzero(~np.isfinite(real.reshape(len(real), -1)).all(axis=1))
    if bad.size:
        raise InputError(
            f"{name}: sample {int(bad[0])} holds NaN or infinity; so do {bad.size} of {len(real)}",
            hint="replace or drop them: no range can be measured on them",
        )
    return [sample.reshape(tensor.shape) for sample in real]


def _same_layout(one: tuple[int, ...]) -> set[tuple[int, ...]]:
    """The shape itself, and it without its last or its first 1, which loses no order."""
    shapes = {one, (1, *one)}
    if one[-1:] == (1,):
        shapes.add(one[:-1])
    return shapes


def _shape_hint(found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if len(found) == len(wanted) <= 4:
        for order in permutations(range(len(found))):
            if tuple(found[axis] for axis in order) == wanted:
                axes = ", ".join(str(axis + 1) for axis in order)
                return f"the axes are in another order: np.transpose(x, (0, {axes}))"
    return "preprocess the data exactly as for training"


def _labels(name: str, labels: NDArray[Any], count: int) -> tuple[int, ...]:
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.dtype.kind in "biuf":
        labels = labels.argmax(axis=1)  # one-hot
    flat = labels.reshape(-1)
    if len(flat) != count:
        raise InputError(
            f"{name} holds {count} samples and {len(flat)} labels",
            hint="give one label for each sample, or none at all",
        )
    if flat.dtype.kind == "f" and np.array_equal(flat, np.rint(flat)):
        flat = flat.astype(np.int64)
    if flat.dtype.kind not in "biu":
        raise InputError(
            f"{name}: labels are {flat.dtype}, not class numbers",
            hint="number the classes from 0, in the order of the model's outputs",
        )
    return tuple(int(label) for label in flat)


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"
