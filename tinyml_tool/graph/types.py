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
    COMPLEX64 = "complex64"
    COMPLEX128 = "complex128"
    INT2 = "int2"
    UINT4 = "uint4"
    BFLOAT16 = "bfloat16"
    FLOAT8_E4M3FN = "float8_e4m3fn"
    FLOAT8_E5M2 = "float8_e5m2"
    STRING = "string"
    RESOURCE = "resource"
    VARIANT = "variant"
    OTHER = "other"
    """A type number that the schema does not have."""

    @property
    def has_numpy(self) -> bool:
        """Whether numpy has arrays of this type."""
        return self not in _BITS_WITHOUT_NUMPY

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type. Raises ValueError for types numpy has no array of (int4, string)."""
        if not self.has_numpy:
            raise ValueError(f"{self.value} has no numpy type")
        return np.dtype(self.value)

    @property
    def bits(self) -> int:
        """Bits of one element in a tensor's buffer; 0 where elements have no fixed size."""
        if self.has_numpy:
            return self.numpy.itemsize * 8
        return _BITS_WITHOUT_NUMPY[self]

    @property
    def bytes(self) -> int:
        """Bytes of one element. Raises ValueError for types that numpy has no array of."""
        return self.numpy.itemsize


_BITS_WITHOUT_NUMPY = {
    DType.INT2: 2,
    DType.INT4: 4,
    DType.UINT4: 4,
    DType.BFLOAT16: 16,
    DType.FLOAT8_E4M3FN: 8,
    DType.FLOAT8_E5M2: 8,
    DType.STRING: 0,
    DType.RESOURCE: 0,
    DType.VARIANT: 0,
    DType.OTHER: 0,
}


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
    """A value in the graph.

    `data` is set (read-only) for constants only. It has the tensor's shape; int4 values are int8
    there. Where numpy has no such array (sparse tensors) it holds the stored bytes as flat uint8.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: DType
    quantization: Quantization | None = None
    data: NDArray[Any] | None = field(default=None, repr=False)
    is_variable: bool = False
    """Whether the value outlives an inference (state of a recurrent network)."""
    dynamic_axes: tuple[int, ...] = ()
    """Axes that the converter left open; `shape` holds what the model assumes for them."""
    unusual: tuple[str, ...] = ()
    """Ways of storing the tensor that `Tensor` does not describe, such as "sparse"."""
    channels: tuple[int, ...] | None = None
    """Which indices of the last axis of the model's tensor are left of it; None: all of them."""
    in_bands: bool = False
    """Whether it is made and read in bands of rows, and so never whole in memory."""

    @property
    def is_constant(self) -> bool:
        """Whether the value is stored in the model."""
        return self.data is not None

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar (shape `()`), 0 where an axis has no fixed length."""
        return math.prod(max(length, 0) for length in self.shape)

    @property
    def bytes(self) -> int:
        """Size of the tensor's buffer in bytes; 0 where elements have no fixed size."""
        return -(-self.elements * self.dtype.bits // 8)

    @property
    def stored_bytes(self) -> int:
        """Bytes that a constant takes in a file; 0 for a tensor that is computed."""
        if self.data is None:
            return 0
        is_unpacked = self.dtype is DType.INT4 and self.data.shape == self.shape
        return self.bytes if is_unpacked else self.data.nbytes

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
    layer: int | None = None
    """Which operator of the model it was before passes moved it; None: that at `index`."""

    @property
    def origin(self) -> int:
        """The operator's index in the model, by which people know it."""
        return self.index if self.layer is None else self.layer


@dataclass(frozen=True, eq=False)
class Graph:
    """A model's main subgraph with batch 1 and static shapes; operators in execution order.

    A rewritten graph keeps the tensors' indices: what is no longer used stays in `tensors`, and
    what is new comes behind.
    """

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

    def written(self, operator: Operator) -> tuple[int, ...]:
        """The operator's outputs that are whole in memory at some time, for others to see."""
        return tuple(t for t in operator.outputs if t < 0 or not self.tensors[t].in_bands)

    def __str__(self) -> str:
        def names(indices: tuple[int, ...]) -> str:
            return ", ".join(str(self.tensors[i]) if i >= 0 else "-" for i in indices)

        lines = [f"graph {self.name} ({names(self.inputs)}) -> ({names(self.outputs)})"]
        lines += [
            f"  {op.index:3d} {op.kind} ({names(op.inputs)}) -> {names(op.outputs)}"
            for op in self.operators
        ]
        return "\n".join(lines)
