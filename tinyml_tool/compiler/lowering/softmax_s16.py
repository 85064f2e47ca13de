"""SOFTMAX on int16.  Source of the arithmetic: TensorFlow Lite's `SoftmaxInt16`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.requirements import (
    QUANTIZE_AGAIN,
    require_dtype,
    require_input,
    require_options,
    require_per_tensor,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.sums_s16 import require_symmetric
from tinyml_tool.compiler.numerics import quantize_multiplier
from tinyml_tool.compiler.plan import ConstantArray, ConstantRef, KernelCall, TensorRef
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import SoftmaxOptions
from tinyml_tool.graph.types import DType, Graph, Operator

_STEPS = 512
_OUTPUT_SCALE = 2.0**-15
_Floats = NDArray[np.float32]


def softmax_s16(operator: Operator, graph: Graph) -> KernelCall:
    """Along the last axis, by tables of exponentials and of reciprocals."""
    options = require_options(operator, SoftmaxOptions)
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_dtype(target, "output", DType.INT16)
    require_rank(source, "input", 1, 6)
    require_shape(target, "output", source.shape)
    for tensor, role in ((source, "input"), (target, "output")):
        require_symmetric(tensor, role)
    scale = require_per_tensor(target, "output").scale
    if abs(scale - _OUTPUT_SCALE) > 0.001 * _OUTPUT_SCALE:
        raise UnsupportedOperatorError(
            f"its output has scale {scale:g} (needs 2**-15, as in TFLM)", QUANTIZE_AGAIN
        )
    steps = require_per_tensor(source, "input").scale * options.beta / (10.0 / 65535.0)
    multiplier, shift = quantize_multiplier(steps)
    if shift > 14:
        raise UnsupportedOperatorError(
            f"its input scale times beta is {steps * 10 / 65535:g} (needs less than 2.5)",
            QUANTIZE_AGAIN,
        )
    return KernelCall(
        kernel="softmax_s16",
        params=(
            ("rows", math.prod(source.shape[:-1])),
            ("depth", source.shape[-1]),
            ("multiplier", multiplier),
            ("shift", shift),
        ),
        arguments=(
            TensorRef(source.index),
            ConstantRef("exponentials"),
            ConstantRef("reciprocals"),
            TensorRef(target.index),
        ),
        constants=(
            ConstantArray("exponentials", _table(np.exp, 10.0, 2**15 - 1), "exp(x), -10 to 0"),
            ConstantArray("reciprocals", _table(_reciprocal, 1.0, -(2**15)), "1 / (1 + x)"),
        ),
    )


def _reciprocal(values: _Floats) -> _Floats:
    return np.float32(1) / (np.float32(1) + values)


def _table(function: Callable[[_Floats], Any], width: float, zero_point: int) -> NDArray[np.int16]:
    """513 values of `function` as Q0.15 over a range of `width`, in single precision.

    As TensorFlow Lite fills it: each value halves the error at the middle of its interval.
    """
    one = np.float32
    scale = one(one(width) / one(65535))
    least, most = scale * one(-(2**15) - zero_point), scale * one(2**15 - 1 - zero_point)
    step = one((most - least) / one(_STEPS))
    half = one(step / one(2))
    output_scale = one(one(2.0) / one(65535))
    inverse = one(65536) / (output_scale * one(2**15 - 1) - output_scale * one(-(2**15)))
    index = np.arange(_STEPS, dtype=np.float32)
    values = function(least + index * step) * inverse
    middle = _round(function(least + index * step + half) * inverse)
    following = function(least + (index + one(1)) * step) * inverse
    error = _round((following + _round(values)) / one(2)) - middle
    last: _Floats = np.atleast_1d(function(np.atleast_1d(most)) * inverse)
    table = np.append(_round(values) - _round(error / one(2)), _round(last))
    clipped: NDArray[np.int16] = np.clip(table, -(2**15), 2**15 - 1).astype(np.int16)
    return clipped


def _round(values: _Floats) -> _Floats:
    """Halves away from zero."""
    rounded: _Floats = np.sign(values) * np.floor(np.abs(values) + np.float32(0.5))
    return rounded
