"""What a firmware must answer the runner: the reference's outputs as real numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import Quantization
from tinyml_tool.reference.tflm import TflmReference

DATA_BYTES = {"kws01": 490, "vww01": 96 * 96 * 3, "ic01": 32 * 32 * 3, "ad01": 640 * 4}
"""What the runner sends for one inference."""

SIGNIFICANT = 6
"""Digits behind the point, zeros in front not counted, to which the firmware rounds."""


def random_data(benchmark: str, seed: int) -> bytes:
    """A file as the benchmark has them, with random content."""
    random = np.random.default_rng(seed)
    if benchmark == "ad01":
        return random.normal(-20, 15, 640).astype("<f4").tobytes()
    return random.bytes(DATA_BYTES[benchmark])


def expected(model: bytes, benchmark: str, data: bytes) -> list[Fraction]:
    """The exact real values of the results."""
    graph = parse_model(model, benchmark)
    into, out = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    assert into.quantization is not None
    assert out.quantization is not None
    stored = stored_input(benchmark, data, into.quantization).reshape(into.shape)
    (output,) = TflmReference(model, benchmark).run([stored])
    steps = output.reshape(-1).astype(np.float32) - np.float32(out.quantization.zero_point)
    scale = np.float32(out.quantization.scale)
    if benchmark == "ad01":
        return [mean_squared_difference(steps * scale, np.frombuffer(data, "<f4"))]
    return [Fraction(float(step)) * Fraction(float(scale)) for step in steps]


def stored_input(benchmark: str, data: bytes, quantization: Quantization) -> NDArray[Any]:
    if benchmark == "kws01":
        return np.frombuffer(data, np.int8)
    if benchmark == "ad01":
        steps = (np.frombuffer(data, "<f4") / np.float32(quantization.scale)).astype(np.float64)
        away = np.trunc(steps + np.copysign(0.5, steps))  # halves away from zero
        return np.clip(away + quantization.zero_point, -128, 127).astype(np.int8)
    return (np.frombuffer(data, np.uint8).astype(np.int16) - 128).astype(np.int8)


def mean_squared_difference(outputs: NDArray[Any], inputs: NDArray[Any]) -> Fraction:
    """In single precision, one value after the other, as the firmware must."""
    assert outputs.dtype == inputs.dtype == np.float32
    total = np.float32(0)
    for difference in outputs - inputs:
        total += difference * difference
    return Fraction(float(total / np.float32(len(inputs))))


def is_rounded(text: str, exact: Fraction) -> bool:
    """Whether `text` is `exact` rounded to six significant digits behind the point."""
    decimals = SIGNIFICANT
    while exact and abs(exact) < Fraction(10) ** (SIGNIFICANT - 1 - decimals):
        decimals += 1
    return abs(Fraction(text) - exact) <= Fraction(1, 2 * 10**decimals)
