"""Random networks with dead channels, int8 or int16x8, for property tests of the graph passes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from model_builder import ModelBuilder
from numpy.typing import NDArray
from operator_strategies import Affine

_ACTIVATIONS = ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"]


@dataclass(frozen=True)
class Value:
    """A tensor on the way through the network."""

    index: int
    shape: tuple[int, ...]
    affine: Affine


class NetworkMaker:
    """Adds random networks to a model; half of the filters are zero, with biases of all sizes."""

    def __init__(
        self, builder: ModelBuilder, rng: np.random.Generator, dtype: str = "int8"
    ) -> None:
        self._builder = builder
        self._rng = rng
        self._dtype = dtype
        """Of activations."""

    def network(self) -> int:
        """Add a network with an input of its own; returns its output."""
        rng = self._rng
        shape = (1, int(rng.integers(1, 8)), int(rng.integers(1, 8)), int(rng.integers(1, 6)))
        affine = self._affine()
        value = Value(self._builder.input(self._dtype, shape, **affine.arguments()), shape, affine)
        steps = [self._conv, self._conv, self._depthwise, self._pool, self._residual, self._joined]
        for _ in range(int(rng.integers(2, 6))):
            value = steps[int(rng.integers(len(steps)))](value)
        endings = [self._conv, self._mean, self._flat, self._spread]
        return endings[int(rng.integers(len(endings)))](value).index

    def _affine(self) -> Affine:
        scale = float(np.float32(2.0 ** self._rng.uniform(-6, -3)))
        zero_point = int(self._rng.choice([-128, -128, 0, 5, 127, self._rng.integers(-128, 128)]))
        return Affine(scale, zero_point if self._dtype == "int8" else 0)

    def _choice(self, options: list[str]) -> str:
        return str(self._rng.choice(options))

    def _weighted(
        self,
        kind: str,
        value: Value,
        weights: NDArray[Any],
        target: Value,
        axis: int,
        **options: Any,
    ) -> Value:
        """An operator with weights, whose channels along `axis` are zero every other time."""
        channels = weights.shape[axis]
        dead = self._rng.random(channels) < 0.5
        np.moveaxis(weights, axis, 0)[dead] = 0
        sums = 75 * 75 * math.sqrt(max(weights.size / channels, 1)) / 64
        scale = target.affine.scale / value.affine.scale / sums
        scales = [float(np.float32(scale * f)) for f in self._rng.uniform(0.5, 2, channels)]
        # From far below to far above the output's range, and in the middle of it.
        reach = self._rng.choice([100, 200, 2.0**24], channels) * sums
        bias = np.clip(self._rng.uniform(-1, 1, channels) * reach, -(2**31), 2**31 - 1)
        # Outputs of 16 bits are 256 times those of 8 bits.
        bias = bias.astype(np.int32) if self._dtype == "int8" else 256 * bias.astype(np.int64)
        inputs = [
            value.index,
            self._builder.constant(weights, scale=scales, axis=axis),
            self._builder.constant(
                bias, scale=[value.affine.scale * scale for scale in scales], axis=0
            ),
        ]
        # The reference crashes on a depthwise layer without bias.
        if kind != "DEPTHWISE_CONV_2D" and self._rng.random() < 0.1:
            inputs[2] = -1
        self._builder.operator(
            kind,
            inputs,
            target.index,
            fused_activation_function=self._choice(_ACTIVATIONS),
            **options,
        )
        return target

    def _new(self, shape: tuple[int, ...], affine: Affine | None = None) -> Value:
        affine = affine or self._affine()
        return Value(self._builder.tensor(self._dtype, shape, **affine.arguments()), shape, affine)

    def _filters(self, *shape: int) -> NDArray[np.int8]:
        return self._rng.integers(-127, 128, shape, np.int8)

    def _window(self, value: Value) -> tuple[int, int, dict[str, Any], tuple[int, int]]:
        """Filter size, options and the positions they give."""
        rng = self._rng
        height, width = (int(rng.integers(1, min(3, n) + 1)) for n in value.shape[1:3])
        strides = int(rng.integers(1, 3)), int(rng.integers(1, 3))
        padding = self._choice(["SAME", "SAME", "VALID"])
        lengths = []
        for size, window, stride in zip(value.shape[1:3], (height, width), strides, strict=True):
            lengths.append(-(-(size if padding == "SAME" else size - window + 1) // stride))
        options = {"padding": padding, "stride_h": strides[0], "stride_w": strides[1]}
        return height, width, options, (lengths[0], lengths[1])

    def _conv(self, value: Value, affine: Affine | None = None, channels: int = 0) -> Value:
        height, width, options, (rows, columns) = self._window(value)
        channels = channels or int(self._rng.integers(1, 9))
        weights = self._filters(channels, height, width, value.shape[3])
        weights[..., self._rng.random(value.shape[3]) < 0.2] = 0  # inputs that nobody reads
        target = self._new((1, rows, columns, channels), affine)
        options |= {"dilation_h_factor": 1, "dilation_w_factor": 1}
        return self._weighted("CONV_2D", value, weights, target, 0, **options)

    def _pointwise(self, value: Value, channels: int, affine: Affine | None = None) -> Value:
        target = self._new((*value.shape[:3], channels), affine)
        weights = self._filters(channels, 1, 1, value.shape[3])
        options = {"padding": "VALID", "stride_h": 1, "stride_w": 1}
        options |= {"dilation_h_factor": 1, "dilation_w_factor": 1}
        return self._weighted("CONV_2D", value, weights, target, 0, **options)

    def _depthwise(self, value: Value) -> Value:
        height, width, options, (rows, columns) = self._window(value)
        multiplier = int(self._rng.integers(1, 3))
        channels = value.shape[3] * multiplier
        weights = self._filters(1, height, width, channels)
        target = self._new((1, rows, columns, channels))
        options |= {"dilation_h_factor": 1, "dilation_w_factor": 1}
        options["depth_multiplier"] = multiplier
        return self._weighted("DEPTHWISE_CONV_2D", value, weights, target, 3, **options)

    def _pool(self, value: Value) -> Value:
        height, width, options, (rows, columns) = self._window(value)
        target = self._new((1, rows, columns, value.shape[3]), value.affine)
        self._builder.operator(
            self._choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]),
            [value.index],
            target.index,
            filter_height=height,
            filter_width=width,
            fused_activation_function=self._choice(_ACTIVATIONS),
            **options,
        )
        return target

    def _residual(self, value: Value) -> Value:
        """The sum of two branches from the same tensor, or of the tensor and one."""
        first = value if self._rng.random() < 0.5 else self._pointwise(value, value.shape[3])
        second = self._pointwise(value, value.shape[3])
        largest = max(first.affine.scale, second.affine.scale)
        target = self._new(value.shape, replace(self._affine(), scale=largest))
        self._builder.operator(
            "ADD",
            [first.index, second.index],
            target.index,
            fused_activation_function=self._choice(_ACTIVATIONS),
        )
        return target

    def _joined(self, value: Value) -> Value:
        affine = self._affine()
        parts = [self._pointwise(value, int(self._rng.integers(1, 5)), affine) for _ in range(2)]
        channels = sum(part.shape[3] for part in parts)
        target = self._new((*value.shape[:3], channels), affine)
        self._builder.operator(
            "CONCATENATION",
            [part.index for part in parts],
            target.index,
            axis=int(self._rng.choice([3, -1])),
            fused_activation_function="NONE",
        )
        return target

    def _dense(self, value: Value) -> Value:
        target = self._new((1, int(self._rng.integers(1, 5))))
        weights = self._filters(target.shape[1], value.shape[1])
        return self._weighted("FULLY_CONNECTED", value, weights, target, 0)

    def _mean(self, value: Value) -> Value:
        pooled = self._new((1, value.shape[3]))
        axes = self._builder.constant(np.array([1, 2], np.int32))
        self._builder.operator("MEAN", [value.index, axes], pooled.index, keep_dims=False)
        return self._dense(pooled)

    def _flat(self, value: Value) -> Value:
        shape = (1, math.prod(value.shape))
        flat = self._new(shape, value.affine)
        given = self._builder.constant(np.array(shape, np.int32))
        self._builder.operator("RESHAPE", [value.index, given], flat.index, new_shape=list(shape))
        return self._dense(flat)

    def _spread(self, value: Value) -> Value:
        """A layer that the channels pass does not look through."""
        affine = Affine(1 / 256, -128) if self._dtype == "int8" else Affine(1 / 32768, 0)
        target = self._new(value.shape, affine)
        self._builder.operator("LOGISTIC", [value.index], target.index)
        return target


def random_model(seed: int, networks: int, dtype: str = "int8") -> bytes:
    """One model of so many independent networks."""
    builder = ModelBuilder()
    maker = NetworkMaker(builder, np.random.default_rng(seed), dtype)
    return builder.build([maker.network() for _ in range(networks)])
