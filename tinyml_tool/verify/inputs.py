"""Test inputs made for a model: the extremes of its input types, then random values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError, UnsupportedModelError
from tinyml_tool.graph.types import DType, Graph, Tensor

Vector = list[NDArray[Any]]
"""One inference's inputs: an array for each input of the model, in the model's order."""

_BEYOND = 1.25
"""Float inputs go this far outside the range that the model quantizes, so that it saturates."""


@dataclass(frozen=True)
class _Range:
    """The values an input is fed with: `low` to `high`; `rest` stands for the real value 0."""

    low: float
    high: float
    rest: float


_Pattern = Callable[[Tensor, _Range], NDArray[Any]]


def vectors(graph: Graph, count: int, seed: int) -> list[Vector]:
    """Make `count` test inputs: each extreme once, then random values over the whole range.

    The extremes are: all lowest, all highest, all at the zero point, lowest and highest by turns,
    a ramp, and a single highest value among zero points.  A model of one-element inputs is served
    by the first three.  The same graph, count and seed give the same values on every machine.
    Raises InputError for a count below 1, UnsupportedModelError for inputs that are no numbers.
    """
    if count < 1:
        raise InputError(f"{count} test inputs: at least 1 is needed")
    tensors = [graph.tensor(index) for index in graph.inputs]
    ranges = [_range_of(graph, tensor) for tensor in tensors]
    rng = np.random.default_rng(seed)
    patterns = [*_extremes(tensors), *[_random(rng)] * count][:count]
    return [
        [pattern(tensor, limits) for tensor, limits in zip(tensors, ranges, strict=True)]
        for pattern in patterns
    ]


def _extremes(tensors: list[Tensor]) -> list[_Pattern]:
    flat: list[_Pattern] = [_lowest, _highest, _resting]
    if all(tensor.elements < 2 for tensor in tensors):
        return flat
    return [*flat, _alternating, _ramp, _impulse]


def _lowest(tensor: Tensor, limits: _Range) -> NDArray[Any]:
    return np.full(tensor.shape, limits.low, tensor.dtype.numpy)


def _highest(tensor: Tensor, limits: _Range) -> NDArray[Any]:
    return np.full(tensor.shape, limits.high, tensor.dtype.numpy)


def _resting(tensor: Tensor, limits: _Range) -> NDArray[Any]:
    return np.full(tensor.shape, limits.rest, tensor.dtype.numpy)


def _alternating(tensor: Tensor, limits: _Range) -> NDArray[Any]:
    values = np.array([limits.low, limits.high], tensor.dtype.numpy)
    return np.resize(values, tensor.shape)


def _ramp(tensor: Tensor, limits: _Range) -> NDArray[Any]:
    last = max(tensor.elements - 1, 1)
    if tensor.dtype is DType.FLOAT32:
        values = [limits.low + (limits.high - limits.low) * i / last for i in range(last + 1)]
    else:  # in integers, because floats cannot hold the ends of int64
        low, span = int(limits.low), int(limits.high) - int(limits.low)
        values = [low + span * i // last for i in range(last + 1)]
    return np.array(values[: tensor.elements], tensor.dtype.numpy).reshape(tensor.shape)


def _impulse(tensor: Tensor, limits: _Range) -> NDArray[Any]:
    array = _resting(tensor, limits).reshape(-1)
    array[tensor.elements // 2 :][:1] = limits.high
    return array.reshape(tensor.shape)


def _random(rng: np.random.Generator) -> _Pattern:
    def fill(tensor: Tensor, limits: _Range) -> NDArray[Any]:
        if tensor.dtype is DType.FLOAT32:
            return rng.uniform(limits.low, limits.high, tensor.shape).astype(np.float32)
        values: NDArray[Any] = rng.integers(
            int(limits.low), int(limits.high), tensor.shape, np.int64, endpoint=True
        )
        return values.astype(tensor.dtype.numpy)

    return fill


def _range_of(graph: Graph, tensor: Tensor) -> _Range:
    if tensor.dtype is DType.BOOL:
        return _Range(0, 1, 0)
    if tensor.dtype is DType.FLOAT32:
        return _float_range(graph, tensor)
    if tensor.dtype not in _INTEGERS:
        raise UnsupportedModelError(
            f"{graph.name}: input '{tensor.name}' is {tensor.dtype.value}, "
            "for which there are no test inputs"
        )
    limits = np.iinfo(tensor.dtype.numpy)
    quantization = tensor.quantization
    rest = quantization.zero_point if quantization is not None else 0
    return _Range(int(limits.min), int(limits.max), rest)


_INTEGERS = (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64)


def _float_range(graph: Graph, tensor: Tensor) -> _Range:
    """-1 to 1, or a little more than what the QUANTIZE that reads the input can represent."""
    for operator in graph.operators:
        if operator.kind != "QUANTIZE" or tensor.index not in operator.inputs:
            continue
        output = graph.tensor(operator.outputs[0])
        if output.quantization is None:
            continue
        limits = np.iinfo(output.dtype.numpy)
        scale, zero_point = output.quantization.scale, output.quantization.zero_point
        low, high = (scale * (int(limit) - zero_point) for limit in (limits.min, limits.max))
        return _Range(low * _BEYOND, high * _BEYOND, 0.0)
    return _Range(-1.0, 1.0, 0.0)
