"""CONCATENATION."""

from __future__ import annotations

import math

from tinyml_tool.compiler.lowering.movement import positive_axis, require_movable
from tinyml_tool.compiler.lowering.requirements import (
    QUANTIZE_AGAIN,
    require_input,
    require_operands,
    require_options,
    require_per_tensor,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.plan import KernelCall, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import Activation, ConcatenationOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

_MOST_INPUTS = 10
_TYPES = (
    DType.INT8,
    DType.INT16,
    DType.INT32,
    DType.INT64,
    DType.FLOAT32,
    DType.BOOL,
)


def _concatenation(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """One input behind the other along an axis; none is rescaled, in TFLM neither."""
    count = len(operator.inputs)
    if count > _MOST_INPUTS:
        raise UnsupportedOperatorError(
            f"{count} inputs are not supported, nor by TFLM (at most {_MOST_INPUTS})",
            "concatenate in two steps",
        )
    require_operands(operator, inputs=(1, _MOST_INPUTS))
    options = require_options(operator, ConcatenationOptions)
    if options.activation is not Activation.NONE:
        raise UnsupportedOperatorError(
            f"fused activation {options.activation.name} is not supported, nor by TFLM",
            "use the activation as a layer of its own",
        )
    sources = [require_input(operator, graph, i, f"input {i}") for i in range(count)]
    target = graph.tensors[operator.outputs[0]]
    require_rank(target, "output", 1, 6)
    axis = positive_axis(options.axis, len(target.shape))
    for position, source in enumerate(sources):
        _check_input(source, target, position)
    lengths = [source.shape[axis] for source in sources]
    require_shape(target, "output", (*target.shape[:axis], sum(lengths), *target.shape[axis + 1 :]))
    inner = math.prod(target.shape[axis + 1 :]) * target.dtype.bytes
    slices = [length * inner for length in lengths]
    return KernelCall(
        kernel="concatenation",
        params=(
            ("outer", math.prod(target.shape[:axis])),
            ("count", count),
            ("slice_bytes", (*slices, *([0] * (_MOST_INPUTS - count)))),
        ),
        arguments=(TensorRef(target.index), *(TensorRef(source.index) for source in sources)),
    )


def _check_input(source: Tensor, target: Tensor, position: int) -> None:
    """Require an input of the output's type, rank and quantization."""
    require_movable(source, target, *_TYPES)
    require_rank(source, f"input {position}", len(target.shape))
    if source.dtype is DType.INT8:
        ours = require_per_tensor(source, f"input {position}")
        theirs = require_per_tensor(target, "output")
        if (ours.scale, ours.zero_point) != (theirs.scale, theirs.zero_point):
            raise UnsupportedOperatorError(
                f"input {position} has scale {ours.scale:g} and zero point {ours.zero_point}, the "
                f"output {theirs.scale:g} and {theirs.zero_point}",
                "quantize the model again: the converter makes inputs and output of one scale",
            )
    if source.dtype is DType.INT16:
        for tensor, role in ((source, f"input {position}"), (target, "output")):
            if tensor.quantization is not None and tensor.quantization.zero_point != 0:
                raise UnsupportedOperatorError(
                    f"{role} has zero point {tensor.quantization.zero_point} (int16 needs 0)",
                    QUANTIZE_AGAIN,
                )


LOWERINGS: dict[str, Lowering] = {"CONCATENATION": _concatenation}
