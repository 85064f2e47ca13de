"""Random parameters of quantized operators, for property tests of the kernels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from model_builder import ModelBuilder
from numpy.typing import NDArray

Case = TypeVar("Case")


@dataclass(frozen=True)
class Affine:
    """Scale and zero point of a tensor."""

    scale: float
    zero_point: int

    def arguments(self) -> dict[str, Any]:
        """For `ModelBuilder.tensor`."""
        return {"scale": self.scale, "zero_point": self.zero_point}


def add_input(builder: ModelBuilder, shape: Sequence[int], quantization: Affine) -> int:
    """An int8 tensor that the model's user fills; a batch comes out of a reshape."""
    if len(shape) < 4 or shape[0] == 1:
        return builder.input("int8", shape, **quantization.arguments())
    rows = builder.input("int8", (shape[0], math.prod(shape[1:])), **quantization.arguments())
    return builder.operator(
        "RESHAPE",
        [rows, builder.constant(shape, "int32")],
        builder.tensor("int8", shape, **quantization.arguments()),
        new_shape=list(shape),
    )


def sweep(examples: int) -> Callable[[Any], Any]:
    """Settings of a test whose every example is a model of many operators.

    The same examples each time; a failure names the operator, so nothing is minimised.  One more
    than asked for: Hypothesis's first example is the simplest, here the same smallest operator
    again and again.
    """
    return settings(
        max_examples=examples + 1,
        derandomize=True,
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def many(cases: st.SearchStrategy[Case]) -> st.SearchStrategy[list[Case]]:
    """Operators enough that compiling their model is worth it."""
    return st.lists(cases, min_size=30, max_size=30)


def model_of(cases: Sequence[Case], add: Callable[[ModelBuilder, Case], int]) -> bytes:
    """One model with an independent operator for each case; `add` returns its output."""
    builder = ModelBuilder()
    return builder.build([add(builder, case) for case in cases])


def scales(least: float = 1e-4, most: float = 10.0) -> st.SearchStrategy[float]:
    """Single-precision scales, as many in each power of two."""
    low, high = math.log2(least), math.log2(most)
    return st.floats(low, high).map(lambda exponent: float(np.float32(2.0**exponent)))


def zero_points() -> st.SearchStrategy[int]:
    """int8 zero points, often a limit."""
    return st.sampled_from([-128, -1, 0, 127]) | st.integers(-128, 127)


def affines(least: float = 1e-4, most: float = 10.0) -> st.SearchStrategy[Affine]:
    """Quantizations of an int8 tensor."""
    return st.builds(Affine, scales(least, most), zero_points())


def activations() -> st.SearchStrategy[str]:
    """Names of the fused activations that have a quantized form."""
    return st.sampled_from(["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])


@st.composite
def fitting_scales(
    draw: st.DrawFn, source: Affine, target: Affine, products: int, near_limits: bool
) -> float:
    """A weights scale with which sums of so many products become output values of all sizes.

    A few saturate all outputs or round all to zero.  `near_limits`: the sums are near the limits
    of int32, and those become output values of all sizes.
    """
    if near_limits:
        steps = 2.0**31 / draw(st.floats(16, 256))
    else:
        usual = st.floats(-1.5, 1.5)
        spread = 2.0 ** draw(st.one_of(usual, usual, usual, usual, st.floats(-40, 20)))
        steps = 75 * 75 * math.sqrt(products) / 64 / spread
    return target.scale / source.scale / steps


def bias_values(
    rng: np.random.Generator, channels: int, factor: float, near_limits: bool
) -> NDArray[np.int64]:
    """int32 biases; `factor` turns sums into output values."""
    if near_limits:
        signs = rng.choice([-1, 1], channels)
        return signs * (2**31 - 1 - rng.integers(0, 2**17, channels))
    limit = int(min(60 / factor, 2**31 - 1))
    return rng.integers(-limit, limit, channels, endpoint=True)


def sums_around_rounding_edges(factor: float) -> NDArray[np.int64]:
    """int32 sums around every edge between two int8 results; `factor` turns sums into results.

    With a factor about 2**-24, a factor that is wrong in the 25th bit shows.
    """
    edges = np.rint((np.arange(-128, 128) + 0.5) / factor)
    sums = edges[:, None] + np.arange(-60, 61)[None, :]
    return np.clip(sums, -(2**31), 2**31 - 1).astype(np.int64).reshape(-1)


def seeds() -> st.SearchStrategy[int]:
    """Seeds of constants."""
    return st.integers(0, 2**32 - 1)
