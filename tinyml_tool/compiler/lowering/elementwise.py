"""ADD, SUB, MUL, MAXIMUM and MINIMUM."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from typing import Any

from tinyml_tool.compiler.linear_sum import SumArithmetic, linear_sum
from tinyml_tool.compiler.lowering.broadcasting import broadcast_params, broadcast_shape
from tinyml_tool.compiler.lowering.requirements import (
    QUANTIZE_AGAIN,
    require_dtype,
    require_input,
    require_operands,
    require_options,
    require_per_tensor,
    require_rank,
    require_same_quantization,
    require_shape,
)
from tinyml_tool.compiler.lowering.sums_s16 import require_symmetric
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.numerics import activation_range, quantize_multiplier
from tinyml_tool.compiler.plan import KernelCall, ParamValue, TensorRef
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import ElementwiseOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor

_MAX_RANK = 6

# Bits by which ADD and SUB shift their inputs to the left, so that rescaling keeps precision.
_HEADROOM = {DType.INT8: 20, DType.INT16: 15}

_SUFFIXES = {DType.INT8: "s8", DType.INT16: "s16"}
"""Of kernel names."""


@dataclass(frozen=True)
class _Operands:
    """The checked tensors of an operator with two inputs."""

    input_1: Tensor
    input_2: Tensor
    output: Tensor

    def call(self, kernel: str, params: list[tuple[str, ParamValue]]) -> KernelCall:
        """The call of `kernel` for the tensors' type: parameters of broadcasting, then `params`."""
        return KernelCall(
            kernel=f"{kernel}_{_SUFFIXES[self.output.dtype]}",
            params=(*broadcast_params(self.input_1.shape, self.input_2.shape), *params),
            arguments=(
                TensorRef(self.input_1.index),
                TensorRef(self.input_2.index),
                TensorRef(self.output.index),
            ),
        )

    def scales(self) -> tuple[float, float, float]:
        """Of input 1, input 2 and the output."""
        return (
            require_per_tensor(self.input_1, "input 1").scale,
            require_per_tensor(self.input_2, "input 2").scale,
            require_per_tensor(self.output, "output").scale,
        )

    def offsets(self) -> list[tuple[str, ParamValue]]:
        """What is added to the inputs' values; nothing to int16."""
        if self.output.dtype is DType.INT16:
            return []
        return [
            ("offset_1", -require_per_tensor(self.input_1, "input 1").zero_point),
            ("offset_2", -require_per_tensor(self.input_2, "input 2").zero_point),
        ]

    def output_params(
        self, operator: Operator, multiplier: int, shift: int
    ) -> list[tuple[str, ParamValue]]:
        """How a result becomes an output value."""
        options = require_options(operator, ElementwiseOptions)
        quantization = require_per_tensor(self.output, "output")
        low, high = activation_range(options.activation, self.output.dtype, quantization)
        offset: list[tuple[str, ParamValue]] = [("output_offset", quantization.zero_point)]
        if self.output.dtype is DType.INT16:
            offset = []
        return [
            *offset,
            ("output_multiplier", multiplier),
            ("output_shift", shift),
            ("activation_min", low),
            ("activation_max", high),
        ]


def _operands(operator: Operator, graph: Graph) -> _Operands:
    require_operands(operator, (2, 2))
    input_1 = require_input(operator, graph, 0, "input 1")
    input_2 = require_input(operator, graph, 1, "input 2")
    output = graph.tensors[operator.outputs[0]]
    for tensor, role in ((input_1, "input 1"), (input_2, "input 2"), (output, "output")):
        require_dtype(tensor, role, DType.INT8, DType.INT16)
        require_dtype(tensor, role, input_1.dtype)
        require_rank(tensor, role, 0, _MAX_RANK)
        if tensor.dtype is DType.INT16:
            require_symmetric(tensor, role)
    require_shape(output, "output", broadcast_shape(input_1.shape, input_2.shape))
    return _Operands(input_1, input_2, output)


def _below_one(factor: float, meaning: str) -> tuple[int, int]:
    """The multiplier and shift of a factor that the reference takes only below 1."""
    multiplier, shift = quantize_multiplier(factor)
    if factor >= 1 or shift > 0:
        raise UnsupportedOperatorError(
            f"the ratio of {meaning} is {factor:g} (must be below 1)", QUANTIZE_AGAIN
        )
    return multiplier, shift


def _sum_or_difference(operator: Operator, graph: Graph, kernel: str) -> KernelCall:
    """ADD or SUB: both inputs are brought to twice the larger one's scale."""
    operands = _operands(operator, graph)
    scale_1, scale_2, output_scale = operands.scales()
    headroom = _HEADROOM[operands.output.dtype]
    twice_larger = 2 * max(scale_1, scale_2)
    multiplier_1, shift_1 = quantize_multiplier(scale_1 / twice_larger)
    multiplier_2, shift_2 = quantize_multiplier(scale_2 / twice_larger)
    output_multiplier, output_shift = _below_one(
        twice_larger / (2**headroom * output_scale),
        f"twice its larger input scale to 2**{headroom} times its output scale",
    )
    return operands.call(
        kernel,
        [
            *operands.offsets(),
            ("multiplier_1", multiplier_1),
            ("multiplier_2", multiplier_2),
            ("shift_1", shift_1),
            ("shift_2", shift_2),
            *operands.output_params(operator, output_multiplier, output_shift),
        ],
    )


def _linear(call: KernelCall, elements: int) -> KernelCall:
    """The call of ADD without broadcasting by one linear function, where that is exact."""
    fields = {field.name for field in dataclass_fields(SumArithmetic)}
    numbers: dict[str, Any] = {name: value for name, value in call.params if name in fields}
    arithmetic = SumArithmetic(**numbers)
    found = linear_sum(arithmetic)
    if found is None:
        return replace(call, reason="no linear function equals it for all inputs")
    return replace(
        call,
        kernel="add_s8_linear",
        params=(
            ("elements", elements),
            ("factor_1", found.factor_1),
            ("factor_2", found.factor_2),
            ("offset", found.offset),
            ("shift", found.shift),
            ("activation_min", arithmetic.activation_min),
            ("activation_max", arithmetic.activation_max),
        ),
        reason="a linear function, equal for all 65,536 pairs of inputs",
    )


def _add(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    call = _sum_or_difference(operator, graph, "add")
    one, other = (graph.tensors[tensor] for tensor in operator.inputs)
    if one.dtype is DType.INT16:
        return call
    if one.shape != other.shape:
        return replace(call, reason="an input is broadcast")
    return _linear(call, one.elements)


def _sub(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    return _sum_or_difference(operator, graph, "sub")


def _mul(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    operands = _operands(operator, graph)
    scale_1, scale_2, output_scale = operands.scales()
    multiplier, shift = quantize_multiplier(scale_1 * scale_2 / output_scale)
    return operands.call(
        "mul", [*operands.offsets(), *operands.output_params(operator, multiplier, shift)]
    )


def _selection(operator: Operator, graph: Graph, kernel: str) -> KernelCall:
    """MAXIMUM or MINIMUM: compares quantized values, so all three must mean the same."""
    operands = _operands(operator, graph)
    for tensor, role in ((operands.input_1, "input 1"), (operands.input_2, "input 2")):
        require_same_quantization((tensor, role), (operands.output, "output"))
    return operands.call(kernel, [])


def _maximum(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    return _selection(operator, graph, "maximum")


def _minimum(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    return _selection(operator, graph, "minimum")


LOWERINGS: dict[str, Lowering] = {
    "ADD": _add,
    "SUB": _sub,
    "MUL": _mul,
    "MAXIMUM": _maximum,
    "MINIMUM": _minimum,
}
