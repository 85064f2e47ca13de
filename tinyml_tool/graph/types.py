"""The graph of a model: immutable, printable values that every later room works on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.options import Options


class DType(Enum):
    """Element type of a tensor. `value` is numpy's name of it."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    BOOL = "bool"
    INT4 = "int4"
    FLOAT16 = "float16"
    FLOAT64 = "float64"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    STRING = "string"
    OTHER = "other"

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type. Raises ValueError for types numpy has no array of (int4, string)."""
        if self in (DType.INT4, DType.STRING, DType.OTHER):
            raise ValueError(f"{self.value} has no numpy type")
        return np.dtype(self.value)

    @property
    def bytes(self) -> int:
        """Bytes of one element in a tensor's buffer."""
        return self.numpy.itemsize


@dataclass(frozen=True)
class Quantization:
    """Affine quantization: real = scale * (q - zero_point).

    One scale and zero point for the whole tensor (`axis` is None), or one for each index along
    `axis`.  Source: TensorFlow Lite 8-bit quantization specification.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None

    @property
    def per_channel(self) -> bool:
        """Whether scales differ along an axis."""
        return self.axis is not None

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantization."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a per-tensor quantization."""
        return self.zero_points[0]


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value in the graph. `data` is set (read-only) for constants only."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: DType
    quantization: Quantization | None = None
    data: NDArray[Any] | None = field(default=None, repr=False)

    @property
    def is_constant(self) -> bool:
        """Whether the value is stored in the model."""
        return self.data is not None

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar (shape `()`)."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size of the tensor's buffer in bytes."""
        return self.elements * self.dtype.bytes

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape)) or "scalar"
        return f"%{self.index} {self.dtype.value}[{shape}]"


@dataclass(frozen=True)
class Operator:
    """One layer. `inputs` may hold -1 where an optional input (a bias) is absent."""

    index: int
    kind: str
    """The schema's name of the built-in operator, e.g. CONV_2D; CUSTOM:<code> for a custom one."""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options = None


@dataclass(frozen=True, eq=False)
class Graph:
    """A model's main subgraph with batch 1 and static shapes; operators in execution order."""

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    model_hash: str
    """SHA-256 of the model file, in hexadecimal."""

    def tensor(self, index: int) -> Tensor:
        """The tensor at `index`. Raises IndexError for an absent (-1) or unknown index."""
        if index < 0:
            raise IndexError("absent tensor")
        return self.tensors[index]

    def __str__(self) -> str:
        def names(indices: tuple[int, ...]) -> str:
            return ", ".join(str(self.tensors[i]) if i >= 0 else "-" for i in indices)

        lines = [f"graph {self.name} ({names(self.inputs)}) -> ({names(self.outputs)})"]
        lines += [
            f"  {op.index:3d} {op.kind} ({names(op.inputs)}) -> {names(op.outputs)}"
            for op in self.operators
        ]
        return "\n".join(lines)
