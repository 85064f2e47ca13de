"""Reads the options of operators into the dataclasses of `options`.

An operator without an options table, or with one of another type, gets the schema's defaults, as
TensorFlow Lite Micro does it; `checks` then reports the values that make no sense (a stride of 0).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from tinyml_tool.graph import options as o


class UnknownOptionError(ValueError):
    """An option has a value that the schema does not define."""


_ACTIVATIONS = (
    o.Activation.NONE,
    o.Activation.RELU,
    o.Activation.RELU_N1_TO_1,
    o.Activation.RELU6,
    o.Activation.TANH,
    o.Activation.SIGN_BIT,
)
_PADDINGS = (o.Padding.SAME, o.Padding.VALID)


def _activation(number: int) -> o.Activation:
    if not 0 <= number < len(_ACTIVATIONS):
        raise UnknownOptionError(f"fused activation {number} is unknown")
    return _ACTIVATIONS[number]


def _padding(number: int) -> o.Padding:
    if not 0 <= number < len(_PADDINGS):
        raise UnknownOptionError(f"padding {number} is unknown")
    return _PADDINGS[number]


def _conv_2d(table: schema.Conv2DOptions) -> o.Options:
    return o.Conv2DOptions(
        padding=_padding(table.Padding()),
        stride_h=table.StrideH(),
        stride_w=table.StrideW(),
        dilation_h=table.DilationHFactor(),
        dilation_w=table.DilationWFactor(),
        activation=_activation(table.FusedActivationFunction()),
        narrow_bias=table.QuantizedBiasType() == schema.TensorType.INT32,
    )


def _depthwise_conv_2d(table: schema.DepthwiseConv2DOptions) -> o.Options:
    return o.Conv2DOptions(
        padding=_padding(table.Padding()),
        stride_h=table.StrideH(),
        stride_w=table.StrideW(),
        dilation_h=table.DilationHFactor(),
        dilation_w=table.DilationWFactor(),
        activation=_activation(table.FusedActivationFunction()),
        depth_multiplier=table.DepthMultiplier(),
    )


def _pool_2d(table: schema.Pool2DOptions) -> o.Options:
    return o.Pool2DOptions(
        padding=_padding(table.Padding()),
        stride_h=table.StrideH(),
        stride_w=table.StrideW(),
        filter_h=table.FilterHeight(),
        filter_w=table.FilterWidth(),
        activation=_activation(table.FusedActivationFunction()),
    )


def _fully_connected(table: schema.FullyConnectedOptions) -> o.Options:
    return o.FullyConnectedOptions(
        activation=_activation(table.FusedActivationFunction()),
        keep_num_dims=table.KeepNumDims(),
        shuffled_weights=table.WeightsFormat() != 0,
        narrow_bias=table.QuantizedBiasType() == schema.TensorType.INT32,
    )


def _elementwise(table: schema.AddOptions | schema.SubOptions | schema.MulOptions) -> o.Options:
    return o.ElementwiseOptions(activation=_activation(table.FusedActivationFunction()))


def _reduce(table: schema.ReducerOptions) -> o.Options:
    return o.ReduceOptions(keep_dims=table.KeepDims())


def _concatenation(table: schema.ConcatenationOptions) -> o.Options:
    return o.ConcatenationOptions(
        axis=table.Axis(), activation=_activation(table.FusedActivationFunction())
    )


def _softmax(table: schema.SoftmaxOptions) -> o.Options:
    return o.SoftmaxOptions(beta=table.Beta())


def _leaky_relu(table: schema.LeakyReluOptions) -> o.Options:
    return o.LeakyReluOptions(alpha=table.Alpha())


def _strided_slice(table: schema.StridedSliceOptions) -> o.Options:
    return o.StridedSliceOptions(
        begin_mask=table.BeginMask(),
        end_mask=table.EndMask(),
        ellipsis_mask=table.EllipsisMask(),
        new_axis_mask=table.NewAxisMask(),
        shrink_axis_mask=table.ShrinkAxisMask(),
        offset=table.Offset(),
    )


def _split(table: schema.SplitOptions) -> o.Options:
    return o.SplitOptions(num_splits=table.NumSplits())


def _resize(table: schema.ResizeNearestNeighborOptions) -> o.Options:
    return o.ResizeOptions(
        align_corners=table.AlignCorners(), half_pixel_centers=table.HalfPixelCenters()
    )


def _squeeze(table: schema.SqueezeOptions) -> o.Options:
    axes = range(table.SqueezeDimsLength())
    return o.SqueezeOptions(axes=tuple(table.SqueezeDims(axis) for axis in axes))


_READERS: dict[str, tuple[str, Callable[[Any], o.Options]]] = {
    "CONV_2D": ("Conv2DOptions", _conv_2d),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", _depthwise_conv_2d),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _pool_2d),
    "MAX_POOL_2D": ("Pool2DOptions", _pool_2d),
    "FULLY_CONNECTED": ("FullyConnectedOptions", _fully_connected),
    "ADD": ("AddOptions", _elementwise),
    "SUB": ("SubOptions", _elementwise),
    "MUL": ("MulOptions", _elementwise),
    "MEAN": ("ReducerOptions", _reduce),
    "CONCATENATION": ("ConcatenationOptions", _concatenation),
    "SOFTMAX": ("SoftmaxOptions", _softmax),
    "LEAKY_RELU": ("LeakyReluOptions", _leaky_relu),
    "STRIDED_SLICE": ("StridedSliceOptions", _strided_slice),
    "SPLIT": ("SplitOptions", _split),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", _resize),
    "SQUEEZE": ("SqueezeOptions", _squeeze),
}
"""By operator: the name of its table in the schema, and how to read that."""


def read_options(operator: schema.Operator, kind: str) -> o.Options:
    """The options of a schema `Operator`; None for kinds that have none here.

    Raises UnknownOptionError for a value the schema does not define.
    """
    if kind not in _READERS:
        return None
    name, read = _READERS[kind]
    table = getattr(schema, name)()
    stored = operator.BuiltinOptions()
    if stored is not None and operator.BuiltinOptionsType() == getattr(schema.BuiltinOptions, name):
        table.Init(stored.Bytes, stored.Pos)
    else:
        table.Init(_EMPTY_TABLE, 4)
    return read(table)


_EMPTY_TABLE = bytes([4, 0, 4, 0, 4, 0, 0, 0])
"""A table without any field, at byte 4, after its vtable: accessors then give the defaults."""
