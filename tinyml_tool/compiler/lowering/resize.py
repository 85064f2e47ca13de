"""RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.movement import integer_parameters, require_movable
from tinyml_tool.compiler.lowering.requirements import (
    CONVERT_AGAIN,
    require_input,
    require_operands,
    require_options,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.plan import ConstantArray, ConstantRef, KernelCall, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import ResizeOptions
from tinyml_tool.graph.types import DType, Graph, Operator

_LONGEST_SIDE = 2**15


def _resize_nearest_neighbor(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Rows and columns of the input picked by two tables."""
    require_operands(operator, inputs=(2, 2))
    options = require_options(operator, ResizeOptions)
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_movable(source, target, DType.INT8, DType.INT16, DType.FLOAT32)
    require_rank(source, "input", 4)
    size = integer_parameters(operator, graph, 1, "size")
    if len(size) != 2:
        raise UnsupportedOperatorError(f"its size has {len(size)} values", CONVERT_AGAIN)
    batches, input_h, input_w, channels = source.shape
    require_shape(target, "output", (batches, *size, channels))
    if max(input_h, input_w) > _LONGEST_SIDE:
        raise UnsupportedOperatorError(
            f"an image of {input_h}x{input_w} is not supported (at most {_LONGEST_SIDE} rows and "
            "columns)",
            "use --engine tflm",
        )
    return KernelCall(
        kernel="resize_nearest_neighbor",
        params=(
            ("batches", batches),
            ("input_h", input_h),
            ("input_w", input_w),
            ("output_h", size[0]),
            ("output_w", size[1]),
            ("pixel_bytes", channels * source.dtype.bytes),
        ),
        arguments=(
            TensorRef(source.index),
            ConstantRef("rows"),
            ConstantRef("columns"),
            TensorRef(target.index),
        ),
        constants=(
            ConstantArray("rows", _nearest(input_h, size[0], options), "input row of each row"),
            ConstantArray(
                "columns", _nearest(input_w, size[1], options), "input column of each column"
            ),
        ),
    )


def _nearest(before: int, after: int, options: ResizeOptions) -> NDArray[Any]:
    """The input index nearest to each of `after` output indices, in single precision as TFLM."""
    if options.align_corners and after > 1:
        scale = np.float32(before - 1) / np.float32(after - 1)
    else:
        scale = np.float32(before) / np.float32(after)
    offset = np.float32(0.5 if options.half_pixel_centers else 0.0)
    positions = (np.arange(after).astype(np.float32) + offset) * scale
    # All are 0 or more, so rounding halves away from zero is rounding them up.
    nearest = np.floor(positions.astype(np.float64) + (0.5 if options.align_corners else 0.0))
    return np.minimum(nearest, before - 1).astype(np.int16)


LOWERINGS: dict[str, Lowering] = {"RESIZE_NEAREST_NEIGHBOR": _resize_nearest_neighbor}
