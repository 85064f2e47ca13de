"""Options of operators, one frozen dataclass a family, named as in the TensorFlow Lite schema."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Activation(Enum):
    """Fused activation function."""

    NONE = "none"
    RELU = "relu"
    RELU_N1_TO_1 = "relu_n1_to_1"
    RELU6 = "relu6"
    TANH = "tanh"
    SIGN_BIT = "sign_bit"


class Padding(Enum):
    """SAME pads so that output = ceil(input / stride), more at the end; VALID never pads."""

    SAME = "same"
    VALID = "valid"


@dataclass(frozen=True)
class Conv2DOptions:
    """CONV_2D and DEPTHWISE_CONV_2D; `depth_multiplier` is 1 for CONV_2D."""

    padding: Padding
    stride_h: int
    stride_w: int
    dilation_h: int = 1
    dilation_w: int = 1
    activation: Activation = Activation.NONE
    depth_multiplier: int = 1
    pad_before: tuple[int, int] | None = None
    """Only a graph pass sets it, in place of `padding`: rows above and columns on the left.

    The output's shape then says how far the padding behind goes.
    """
    narrow_bias: bool = False
    """That a bias, though absent, would have 32 bits: TFLM then has 32-bit sums with int16."""


@dataclass(frozen=True)
class Pool2DOptions:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""

    padding: Padding
    stride_h: int
    stride_w: int
    filter_h: int
    filter_w: int
    activation: Activation = Activation.NONE


@dataclass(frozen=True)
class FullyConnectedOptions:
    """FULLY_CONNECTED."""

    activation: Activation = Activation.NONE
    keep_num_dims: bool = False
    shuffled_weights: bool = False
    narrow_bias: bool = False
    """As in Conv2DOptions."""


@dataclass(frozen=True)
class ElementwiseOptions:
    """ADD, SUB, MUL."""

    activation: Activation = Activation.NONE


@dataclass(frozen=True)
class ReduceOptions:
    """MEAN."""

    keep_dims: bool = False


@dataclass(frozen=True)
class ConcatenationOptions:
    """CONCATENATION."""

    axis: int
    activation: Activation = Activation.NONE


@dataclass(frozen=True)
class SoftmaxOptions:
    """SOFTMAX."""

    beta: float = 1.0


@dataclass(frozen=True)
class LeakyReluOptions:
    """LEAKY_RELU."""

    alpha: float = 0.0


@dataclass(frozen=True)
class StridedSliceOptions:
    """STRIDED_SLICE; each mask has one bit an axis."""

    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0
    offset: bool = False


@dataclass(frozen=True)
class SplitOptions:
    """SPLIT."""

    num_splits: int


@dataclass(frozen=True)
class ResizeOptions:
    """RESIZE_NEAREST_NEIGHBOR."""

    align_corners: bool = False
    half_pixel_centers: bool = False


@dataclass(frozen=True)
class SqueezeOptions:
    """SQUEEZE; empty `axes` means every axis of length 1."""

    axes: tuple[int, ...] = ()


Options: TypeAlias = (
    Conv2DOptions
    | Pool2DOptions
    | FullyConnectedOptions
    | ElementwiseOptions
    | ReduceOptions
    | ConcatenationOptions
    | SoftmaxOptions
    | LeakyReluOptions
    | StridedSliceOptions
    | SplitOptions
    | ResizeOptions
    | SqueezeOptions
    | None
)
