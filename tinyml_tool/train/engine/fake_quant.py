"""TensorFlow Lite's int8 arithmetic on floats, with gradients that pass straight through.

Weights are symmetric, a scale for each channel (dense layers: one for all); activations are
asymmetric, one scale a tensor: Jacob et al. 2018, section 2, and TensorFlow Lite's 8-bit
specification.  In training and inference the arithmetic is written out here; for the converter the
same ranges are put into TensorFlow's own fake-quant operators, which it reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers, ops

INT8_LEVELS = 127
_SMALLEST_RANGE = 1e-6
_CLIPPED = tuple(share / 20 for share in range(5, 21))
"""Shares of the largest weight that are tried as the end of a coarse grid."""


def weight_levels(bits: int) -> int:
    """The largest magnitude of a weight of `bits` bits: narrow range, so that zero is the middle.

    >>> weight_levels(8), weight_levels(4), weight_levels(2)
    (127, 7, 1)
    """
    return (1 << (bits - 1)) - 1


def on_grid(x: Any, scale: Any, zero_point: Any) -> Any:  # noqa: ANN401
    """The real value that the nearest int8 number stands for."""
    q = ops.clip(ops.round(x / scale) + zero_point, -128.0, 127.0)
    return (q - zero_point) * scale


def straight_through(x: Any, value: Any) -> Any:  # noqa: ANN401
    """`value`, whose gradient is that of `x`."""
    return x + ops.stop_gradient(value - x)


class FakeQuantActivation(layers.Layer):
    """Rounds activations to int8 over a range that is fixed, averaged over batches, or learned.

    `ranges`: `moving` (exponential average of each batch's smallest and largest value), `learned`
    (by the gradient of what is clipped, as PACT of Choi et al. 2018) or `fixed`.
    """

    def __init__(
        self, ranges: str, low: float = 0.0, high: float = 0.0, momentum: float = 0.99
    ) -> None:
        super().__init__()
        self._ranges = ranges
        self._momentum = momentum
        trains = ranges == "learned"
        self.low = self._variable("low", low, trains)
        self.high = self._variable("high", high, trains)
        self.exporting = False
        self.observing = False

    def _variable(self, name: str, value: float, trains: bool) -> Any:  # noqa: ANN401
        return self.add_weight(
            shape=(),
            initializer=lambda shape, dtype: ops.convert_to_tensor(value, dtype),
            trainable=trains,
            name=name,
        )

    def observe(self, x: Any) -> None:  # noqa: ANN401
        """Widen the range to hold `x`; fixed ranges stay."""
        if self._ranges != "fixed":
            self.low.assign(ops.minimum(self.low, ops.min(x)))
            self.high.assign(ops.maximum(self.high, ops.max(x)))

    def quantization(self) -> tuple[Any, Any]:
        """(scale, zero point), the zero point a whole number from -128 to 127."""
        low = ops.minimum(self.low, 0.0)
        high = ops.maximum(self.high, low + _SMALLEST_RANGE)
        high = ops.maximum(high, 0.0)
        scale = (high - low) / 255.0
        return scale, ops.clip(ops.round(-128.0 - low / scale), -128.0, 127.0)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ANN401
        """Round; in training, average the range too."""
        if self.exporting:
            with tf.init_scope():
                scale, zero_point = (float(value) for value in self.quantization())
            return tf.quantization.fake_quant_with_min_max_args(
                x, (-128 - zero_point) * scale, (127 - zero_point) * scale
            )
        if self.observing:
            self.observe(x)
            return x
        if training and self._ranges == "moving":
            self._average(x)
        scale, zero_point = self.quantization()
        if self._ranges != "learned":
            scale, zero_point = ops.stop_gradient(scale), ops.stop_gradient(zero_point)
        clipped = ops.clip(
            x,
            (-128.0 - ops.stop_gradient(zero_point)) * scale,
            (127.0 - ops.stop_gradient(zero_point)) * scale,
        )
        return straight_through(clipped, on_grid(clipped, scale, zero_point))

    def _average(self, x: Any) -> None:  # noqa: ANN401
        share = 1 - self._momentum
        self.low.assign(self.low + share * (ops.min(x) - self.low))
        self.high.assign(self.high + share * (ops.max(x) - self.high))


class FakeQuantLinear(layers.Layer):
    """A convolution, depthwise convolution or dense layer with rounded weights, and a bias.

    The bias stays real: as int32 with the scale of the accumulator its error is below half of one
    accumulator step.
    """

    def __init__(self, layer: Any, bits: int, *, per_channel: bool = True) -> None:  # noqa: ANN401
        super().__init__()
        self._layer = layer
        self._levels = weight_levels(bits)
        self._axes = _shared_axes(layer, per_channel)
        self.kernel = self.add_weight(shape=layer.kernel.shape, name="kernel")
        channels = np.prod(layer.kernel.shape[2:]) if _is_depthwise(layer) else None
        units = int(channels or layer.kernel.shape[-1])
        self.bias = self.add_weight(shape=(units,), initializer="zeros", name="bias")
        self.kernel.assign(layer.kernel.numpy())
        if layer.use_bias:
            self.bias.assign(layer.bias.numpy())
        self.exporting = False

    def _limit(self) -> Any:  # noqa: ANN401
        """The largest magnitude on the grid, one a scale.

        With 8 bits that of the weights, as the converter has it.  With fewer, where a step is
        coarse, larger weights are clipped if that makes the squared error less.
        """
        kernel = ops.stop_gradient(self.kernel.value)
        largest = ops.max(ops.abs(kernel), axis=self._axes, keepdims=True)
        largest = ops.maximum(largest, 1e-9)
        if self._levels == INT8_LEVELS:
            return largest
        limits = ops.stack([largest * share for share in _CLIPPED])
        gaps = ops.stack([self._on_grid(kernel, largest * share) - kernel for share in _CLIPPED])
        errors = ops.sum(ops.square(gaps), axis=[axis + 1 for axis in self._axes], keepdims=True)
        is_least = ops.cast(errors <= ops.min(errors, axis=0, keepdims=True), limits.dtype)
        return ops.max(limits * is_least, axis=0)

    def _on_grid(self, kernel: Any, limit: Any) -> Any:  # noqa: ANN401
        scale = limit / self._levels
        return ops.clip(ops.round(kernel / scale), -self._levels, self._levels) * scale

    def rounded_kernel(self) -> Any:  # noqa: ANN401
        """The weights on their grid."""
        kernel = self.kernel.value
        return straight_through(kernel, self._on_grid(kernel, self._limit()))

    def _kernel_to_export(self) -> Any:  # noqa: ANN401
        """The rounded weights, with the int8 range that the converter shall use.

        Fewer bits are stored as int8, on a grid whose every step is a whole number of int8 steps.
        """
        with tf.init_scope():
            kernel = np.array(self.rounded_kernel())
            step = INT8_LEVELS // self._levels
            largest = np.array(self._limit()) * INT8_LEVELS / (step * self._levels)
        kernel, largest = kernel.astype(np.float32), largest.astype(np.float32)
        if largest.size == 1:
            limit = float(largest.reshape(()))
            return tf.quantization.fake_quant_with_min_max_args(
                tf.constant(kernel), -limit, limit, narrow_range=True
            )
        flat = kernel.reshape(*kernel.shape[:-2], -1) if _is_depthwise(self._layer) else kernel
        limits = largest.reshape(-1)
        rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            tf.constant(flat), -limits, limits, narrow_range=True
        )
        return tf.reshape(rounded, kernel.shape)

    def call(self, x: Any) -> Any:  # noqa: ANN401
        """Apply the layer, without its activation."""
        kernel, bias = self.rounded_kernel(), self.bias.value
        if self.exporting:
            with tf.init_scope():
                constant = self.bias.numpy()
            kernel, bias = self._kernel_to_export(), tf.constant(constant)
        if isinstance(self._layer, layers.Dense):
            return ops.matmul(x, kernel) + bias
        how = {
            "strides": tuple(self._layer.strides),
            "padding": self._layer.padding,
            "data_format": "channels_last",
            "dilation_rate": tuple(self._layer.dilation_rate),
        }
        convolve = ops.depthwise_conv if _is_depthwise(self._layer) else ops.conv
        return convolve(x, kernel, **how) + bias

    def compute_output_shape(self, shape: Any) -> Any:  # noqa: ANN401
        """As the layer's own."""
        return self._layer.compute_output_shape(shape)

    def trained(self) -> list[Any]:
        """Kernel and bias, the kernel on its grid: what the float layer takes."""
        kernel = np.array(self.rounded_kernel())
        return [kernel, self.bias.numpy()] if self._layer.use_bias else [kernel]


def _is_depthwise(layer: Any) -> bool:  # noqa: ANN401
    return isinstance(layer, layers.DepthwiseConv2D)


def _shared_axes(layer: Any, per_channel: bool) -> tuple[int, ...]:  # noqa: ANN401
    """The axes of the kernel over which one scale holds."""
    if isinstance(layer, layers.Dense) or not per_channel:
        return tuple(range(len(layer.kernel.shape)))
    return (0, 1) if _is_depthwise(layer) else (0, 1, 2)
