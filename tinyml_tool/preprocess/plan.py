"""What of the C is needed for a feature spec: template, blocks, tables, RAM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.preprocess.spec import FeatureSpec, features_hash

ValueType: TypeAlias = Literal["float32", "int8", "uint8", "int16"]

C_NAMES = {"float32": "float", "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t"}
POINTER_BYTES = 4


@dataclass(frozen=True)
class ValueFormat:
    """Type of the model's input: stored value = real / scale + zero_point, rounded, saturated."""

    type: ValueType = "float32"
    scale: float = 1.0
    zero_point: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of NumPy."""
        return np.dtype(self.type)

    @property
    def is_quantized(self) -> bool:
        """Whether values are integers."""
        return self.type != "float32"

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest stored value of an integer type."""
        info = np.iinfo(self.dtype)
        return int(info.min), int(info.max)


@dataclass(frozen=True, eq=False)
class Table:
    """A constant array of the generated C."""

    name: str
    values: NDArray[Any]
    comment: str


@dataclass(frozen=True, eq=False)
class FeaturePlan:
    """A spec and a type of the model's input, as the C that computes one from the other."""

    spec: FeatureSpec
    format: ValueFormat
    comment: str
    template: str
    """Name below `firmware_templates/preprocess/`, without `.c.j2`."""
    headers: tuple[str, ...]
    """Blocks it includes, of that folder or of `kernels/`."""
    tables: tuple[Table, ...]
    arguments: Mapping[str, Any]
    """What the template needs beside headers and tables."""
    sample_type: Literal["int16", "uint8", "float32"]
    sample_comment: str
    state_bytes: int
    """Static RAM of what it remembers."""

    @property
    def ram_bytes(self) -> int:
        """All its static RAM: the state, and where features go."""
        return self.state_bytes + POINTER_BYTES

    @property
    def constant_bytes(self) -> int:
        """Flash of the tables."""
        return sum(table.values.nbytes for table in self.tables)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the features; the model's input may have axes of length 1 beside."""
        return self.spec.shape

    @property
    def values(self) -> int:
        """Values of one input of the model."""
        return int(np.prod(self.shape))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the spec."""
        return features_hash(self.spec)


def struct_bytes(fields: Sequence[tuple[int, int]]) -> int:
    """Size of a C struct of (bytes of an element, count) fields, in order.

    >>> struct_bytes([(4, 3), (2, 1)])
    16
    """
    size = 0
    largest = 1
    for width, count in ((w, c) for w, c in fields if c):
        size = -(-size // width) * width + width * count
        largest = max(largest, width)
    return -(-size // largest) * largest
