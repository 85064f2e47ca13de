"""Lowering of operators to kernel calls, one family a module."""

from __future__ import annotations

from tinyml_tool.compiler.lowering import (
    activation,
    arg_max,
    concatenation,
    convolution,
    elementwise,
    fully_connected,
    mean,
    pad,
    pooling,
    quantize,
    resize,
    shape,
    slicing,
    softmax,
    transpose,
)
from tinyml_tool.compiler.lowering.types import Lowering

LOWERINGS: dict[str, Lowering] = {
    **activation.LOWERINGS,
    **arg_max.LOWERINGS,
    **concatenation.LOWERINGS,
    **convolution.LOWERINGS,
    **elementwise.LOWERINGS,
    **fully_connected.LOWERINGS,
    **mean.LOWERINGS,
    **pad.LOWERINGS,
    **pooling.LOWERINGS,
    **quantize.LOWERINGS,
    **resize.LOWERINGS,
    **shape.LOWERINGS,
    **slicing.LOWERINGS,
    **softmax.LOWERINGS,
    **transpose.LOWERINGS,
}
"""The lowering of every operator kind that engine 'aot' supports."""

__all__ = ["LOWERINGS", "Lowering"]
