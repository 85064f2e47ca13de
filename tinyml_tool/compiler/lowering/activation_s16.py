"""RELU, RELU6, LEAKY_RELU, LOGISTIC and TANH on int16.

Source of the arithmetic: TensorFlow Lite's reference kernels for int16.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.requirements import (
    QUANTIZE_AGAIN,
    require_dtype,
    require_input,
    require_operands,
    require_options,
    require_per_tensor,
    require_shape,
)
from tinyml_tool.compiler.lowering.sums_s16 import require_symmetric
from tinyml_tool.compiler.numerics import as_float32, quantize_multiplier, round_half_away
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ParamValue,
    TensorRef,
)
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import LeakyReluOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

_OUTPUT_FRACTION = 15
"""Bits of the fraction that outputs of LOGISTIC and TANH have."""


def is_int16(operator: Operator, graph: Graph) -> bool:
    """Whether the first input is of 16 bits, which the other operands then must be too."""
    index = operator.inputs[0] if operator.inputs else -1
    return index >= 0 and graph.tensors[index].dtype is DType.INT16


def relu_s16(operator: Operator, graph: Graph) -> KernelCall:
    """Rescale to the output's quantization, then cut off below 0."""
    source, target = _quantizations(operator, graph)
    multiplier, shift = quantize_multiplier(source.scale / target.scale)
    return _leaky(operator, graph, (multiplier, shift), 0.0)


def leaky_relu_s16(operator: Operator, graph: Graph) -> KernelCall:
    """Rescale positive values, and negative ones with the slope alpha, which may be negative."""
    source, target = _quantizations(operator, graph)
    alpha = require_options(operator, LeakyReluOptions).alpha
    positive = quantize_multiplier(source.scale / target.scale)
    return _leaky(operator, graph, positive, source.scale * alpha / target.scale)


def _leaky(operator: Operator, graph: Graph, positive: tuple[int, int], slope: float) -> KernelCall:
    negative = quantize_multiplier(abs(slope))
    return _call(
        "leaky_relu_s16",
        operator,
        graph,
        [
            ("multiplier", positive[0]),
            ("shift", positive[1]),
            ("negative_multiplier", negative[0]),
            ("negative_shift", negative[1]),
            ("negated", int(slope < 0)),
        ],
    )


def relu6_s16(operator: Operator, graph: Graph) -> KernelCall:
    """Clamp between the codes of 0 and 6 of the input; TFLM never looks at the output's."""
    source, _ = _quantizations(operator, graph)
    six = round_half_away(as_float32(6.0 / source.scale))
    return _call("clamp_s16", operator, graph, [("low", 0), ("high", min(six, 2**15 - 1))])


def logistic_s16(operator: Operator, graph: Graph) -> KernelCall:
    """Logistic function 1 / (1 + exp(-x)) with the scale 2**-15."""
    return _by_sigmoids(operator, graph, "logistic_s16", range(1))


def tanh_s16(operator: Operator, graph: Graph) -> KernelCall:
    """Hyperbolic tangent with the scale 2**-15."""
    return _by_sigmoids(operator, graph, "tanh_s16", range(2))


def _by_sigmoids(operator: Operator, graph: Graph, kernel: str, exact: range) -> KernelCall:
    """`exact`: powers of two times 2**-12 whose input scale TFLM multiplies without rounding."""
    source, target = _quantizations(operator, graph)
    if _power_of_two(target.scale) != -_OUTPUT_FRACTION:
        raise UnsupportedOperatorError(
            f"its output scale is {target.scale:g} (needs 2**-15, as in TFLM)", QUANTIZE_AGAIN
        )
    power = _power_of_two(source.scale)
    if power is not None and power + 12 in exact:
        multiplier, shift = 3 << (power + 12), 0
    else:
        multiplier, shift = _truncated(source.scale)
    return _call(
        kernel,
        operator,
        graph,
        [("multiplier", multiplier), ("shift", shift)],
        (ConstantArray("sigmoids", _sigmoids(), "1 / (1 + exp(-i / 24)) as Q0.16"),),
    )


def _truncated(scale: float) -> tuple[int, int]:
    """The ratio of `scale` to that of the table: 15 bits, the others cut off, and a shift."""
    real, shift = scale * 4096.0 * 3.0, 0
    while real <= 32767.0 / 2.0 and shift <= 30:
        real, shift = real * 2.0, shift + 1
    if real >= 2**15:
        raise UnsupportedOperatorError(
            f"its input scale {scale:g} is not below 2.67, nor run by TFLM", QUANTIZE_AGAIN
        )
    return int(real), shift


def _power_of_two(scale: float) -> int | None:
    """The exponent of a scale within 1e-3 of a power of two in its logarithm."""
    exact = math.log(as_float32(scale)) / math.log(2)
    nearest = round_half_away(exact)
    return nearest if abs(exact - nearest) < 1e-3 else None


def _sigmoids() -> NDArray[np.uint16]:
    """The reference's table: it halves the error of the interpolation between two entries."""
    values = 65536 / (1 + np.exp(-np.arange(0, 256, 0.5) / 24))
    exact, between = values[0::2], values[1::2]
    error = between - (exact + np.append(exact[1:], exact[-1])) / 2
    table = np.rint(exact + error / 2)
    table[-1] = 65535
    entries: NDArray[np.uint16] = table.astype(np.uint16)
    return entries


def _call(
    kernel: str,
    operator: Operator,
    graph: Graph,
    params: list[tuple[str, ParamValue]],
    constants: tuple[ConstantArray, ...] = (),
) -> KernelCall:
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    return KernelCall(
        kernel=kernel,
        params=(*params, ("elements", target.elements)),
        arguments=(
            TensorRef(source.index),
            *(ConstantRef(array.name) for array in constants),
            TensorRef(target.index),
        ),
        constants=constants,
    )


def _quantizations(operator: Operator, graph: Graph) -> tuple[Quantization, Quantization]:
    """Quantization of input and output, which must be int16 and of the same shape."""
    require_operands(operator, inputs=(1, 1))
    source = require_input(operator, graph, 0, "input")
    target = graph.tensors[operator.outputs[0]]
    require_shape(target, "output", source.shape)
    return _quantization(source, "input"), _quantization(target, "output")


def _quantization(tensor: Tensor, role: str) -> Quantization:
    require_dtype(tensor, role, DType.INT16)
    require_symmetric(tensor, role)
    return require_per_tensor(tensor, role)


WIDE: dict[str, Callable[[Operator, Graph], KernelCall]] = {
    "RELU": relu_s16,
    "RELU6": relu6_s16,
    "LEAKY_RELU": leaky_relu_s16,
    "LOGISTIC": logistic_s16,
    "TANH": tanh_s16,
}
"""Lowerings of operators whose input is int16."""
