"""Random tensors of every type, for tests of the operators that only move data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from kernel_case import assert_bit_exact
from model_builder import ModelBuilder
from numpy.typing import NDArray

from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import DType, Tensor


@st.composite
def shapes(draw: st.DrawFn, least_rank: int, most_rank: int, most: int = 2000) -> tuple[int, ...]:
    """Lengths of 1 to 17 along each axis, together at most so many elements."""
    lengths: list[int] = []
    for _ in range(draw(st.integers(least_rank, most_rank))):
        longest = min(17, most // math.prod(lengths))
        lengths.append(draw(st.integers(1, longest)))
    return tuple(draw(st.permutations(lengths)))


def quantization(dtype: str) -> dict[str, Any]:
    """For `ModelBuilder.tensor`: that of an int8 tensor; others have none."""
    return {"scale": 0.25, "zero_point": -7} if dtype == "int8" else {}


def add_input(builder: ModelBuilder, dtype: str, shape: Sequence[int], **affine: Any) -> int:
    """A tensor that the model's user fills; one with a batch comes out of a reshape."""
    affine = affine or quantization(dtype)
    if len(shape) < 4 or shape[0] == 1:
        return builder.input(dtype, shape, **affine)
    flat = builder.input(dtype, (math.prod(shape),), **affine)
    return builder.operator(
        "RESHAPE",
        [flat, builder.constant(shape, "int32")],
        builder.tensor(dtype, shape, **affine),
        new_shape=list(shape),
    )


def add_output(builder: ModelBuilder, dtype: str, shape: Sequence[int]) -> int:
    """A tensor for an operator's result."""
    return builder.tensor(dtype, shape, **quantization(dtype))


def random_bits(tensor: Tensor, rng: np.random.Generator) -> NDArray[Any]:
    """Values of any bit pattern, NaN included; 0 and 1 for truth values."""
    if tensor.dtype is DType.BOOL:
        return rng.integers(0, 2, tensor.shape).astype(bool)
    count = tensor.elements * tensor.dtype.bytes
    return rng.integers(0, 256, count, np.uint8).view(tensor.dtype.numpy).reshape(tensor.shape)


def assert_moves_like_the_reference(model: bytes, **how: Any) -> int:
    """`assert_bit_exact` on two inputs of random bits; returns the values compared.

    `how` is for `assert_bit_exact`: `sanitize`, `core`, `optimize`.
    """
    graph = parse_model(model, "case")
    rng = np.random.default_rng(len(model))
    batch = [[random_bits(graph.tensors[i], rng) for i in graph.inputs] for _ in range(2)]
    return assert_bit_exact(model, *batch, **how)
