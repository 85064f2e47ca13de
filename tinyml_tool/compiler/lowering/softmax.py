"""SOFTMAX."""

from __future__ import annotations

import math

import numpy as np

from tinyml_tool.compiler.fixed_point import Integers, exponential, high_mul, wrap
from tinyml_tool.compiler.lowering.requirements import (
    QUANTIZE_AGAIN,
    require_dtype,
    require_input,
    require_operands,
    require_options,
    require_per_tensor,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.softmax_s16 import softmax_s16
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.numerics import calculate_input_radius, quantize_multiplier
from tinyml_tool.compiler.plan import ConstantArray, ConstantRef, KernelCall, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import SoftmaxOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

_INTEGER_BITS = 5
_KERNELS = {DType.INT8: "softmax_s8", DType.INT16: "softmax_s8_s16"}


def _softmax(operator: Operator, graph: Graph, _machine: Target) -> KernelCall:
    """Along the last axis, by a table of exponentials.

    An exponential depends only on how far the input lies below the largest of its row, which is
    one of at most 256 distances.
    """
    require_operands(operator, inputs=(1, 1))
    options = require_options(operator, SoftmaxOptions)
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_dtype(source, "input", DType.INT8, DType.INT16)
    if source.dtype is DType.INT16:
        return softmax_s16(operator, graph)
    require_dtype(target, "output", *_KERNELS)
    require_rank(source, "input", 1, 6)
    require_shape(target, "output", source.shape)
    _check_output(target)
    table = _exponentials(require_per_tensor(source, "input"), options.beta)
    return KernelCall(
        kernel=_KERNELS[target.dtype],
        params=(
            ("rows", math.prod(source.shape[:-1])),
            ("depth", source.shape[-1]),
            ("count", len(table)),
        ),
        arguments=(TensorRef(source.index), ConstantRef("exponentials"), TensorRef(target.index)),
        constants=(
            ConstantArray("exponentials", table.astype(np.int32), "exp(-scale * i) as Q0.31"),
        ),
    )


def _check_output(target: Tensor) -> None:
    """Require the quantization that TFLM fixes for probabilities."""
    quantization = require_per_tensor(target, "output")
    if target.dtype is DType.INT8:
        needed = Quantization((1 / 256,), (-128,))
        fits = quantization.scale == needed.scale
    else:
        needed = Quantization((1 / 65536,), (-32768,))
        fits = abs(quantization.scale - needed.scale) <= 0.001 * needed.scale
    if not fits or quantization.zero_point != needed.zero_point:
        raise UnsupportedOperatorError(
            f"its output has scale {quantization.scale:g} and zero point "
            f"{quantization.zero_point} (needs {needed.scale:g} and {needed.zero_point})",
            QUANTIZE_AGAIN,
        )


def _exponentials(source: Quantization, beta: float) -> Integers:
    """exp(-beta * scale * i) as Q0.31 for i = 0, 1, ... up to the last one that is not 0."""
    real = min(beta * source.scale * 2.0 ** (31 - _INTEGER_BITS), 2.0**31 - 1)
    if not real > 1:
        raise UnsupportedOperatorError(
            f"its input scale {source.scale:g} times beta {beta:g} is not above 2**-26",
            QUANTIZE_AGAIN,
        )
    multiplier, shift = quantize_multiplier(real)
    farthest = min(calculate_input_radius(_INTEGER_BITS, shift), 255)
    distances = np.arange(farthest + 1, dtype=np.int64)
    rescaled = high_mul(wrap(-distances << shift), multiplier)
    return np.trim_zeros(exponential(rescaled, _INTEGER_BITS), "b")


LOWERINGS: dict[str, Lowering] = {"SOFTMAX": _softmax}
