"""FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import replace

from tinyml_tool.compiler.lowering.fully_connected_packed import FullyConnected, packed_call
from tinyml_tool.compiler.lowering.fully_connected_rows import row_bytes_call, row_lanes_call
from tinyml_tool.compiler.lowering.int4_weights import (
    bits_in_flash,
    int4_reason,
    require_weights,
    weights_of_layer,
    with_reason,
)
from tinyml_tool.compiler.lowering.mve_fully_connected import mve_fully_connected_call
from tinyml_tool.compiler.lowering.requantization import channel_factors, requantization_constants
from tinyml_tool.compiler.lowering.requirements import (
    CONVERT_AGAIN,
    QUANTIZE_AGAIN,
    optional_input,
    require_bias,
    require_dtype,
    require_input,
    require_operands,
    require_options,
    require_per_tensor,
    require_quantization,
    require_rank,
    require_shape,
)
from tinyml_tool.compiler.lowering.sums_s16 import LayerSums, require_symmetric, sums_s16
from tinyml_tool.compiler.lowering.types import Lowering
from tinyml_tool.compiler.numerics import activation_range, quantize_multiplier
from tinyml_tool.compiler.plan import ConstantRef, KernelCall, TensorRef
from tinyml_tool.compiler.requantization_proof import OutputRange
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import FullyConnectedOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor


def _fully_connected(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    require_operands(operator, (2, 3))
    options = require_options(operator, FullyConnectedOptions)
    source = require_input(operator, graph, 0, "input")
    weights = require_input(operator, graph, 1, "weights")
    target = graph.tensors[operator.outputs[0]]
    require_dtype(source, "input", DType.INT8, DType.INT16)
    require_weights(weights, source)
    require_dtype(target, "output", source.dtype)
    require_rank(weights, "weights", 2)
    if options.shuffled_weights:
        raise UnsupportedOperatorError("shuffled weights are not supported", CONVERT_AGAIN)
    output_c, input_c = weights.shape
    rows = _require_rows(source, target, output_c, input_c)
    source_quantization = require_per_tensor(source, "input")
    target_quantization = require_per_tensor(target, "output")
    weights_quantization = _weights_quantization(weights)
    bits = bits_in_flash(weights, machine.optimize)
    per_channel = len(weights_quantization.scales) > 1
    factors = channel_factors(
        source_quantization,
        weights_quantization,
        target_quantization,
        output_c if per_channel else 1,
    )
    low, high = activation_range(options.activation, source.dtype, target_quantization)
    if source.dtype is DType.INT16:
        for tensor, role in ((source, "input"), (weights, "weights"), (target, "output")):
            require_symmetric(tensor, role)
        sums = LayerSums(
            weights=weights.data,
            products=input_c,
            channels=output_c,
            bias=optional_input(operator, graph, 2),
            narrow_bias=options.narrow_bias,
            factors=factors,
            low=low,
            high=high,
            pairs=machine.core.dsp,
        )
        return _call_s16(sums, rows, (source, weights, target))
    bias = require_bias(operator, graph, 2, output_c)
    layer = FullyConnected(
        rows=rows,
        source=source,
        weights=weights,
        bias=bias,
        target=target,
        factors=tuple(factors),
        output=OutputRange(target_quantization.zero_point, low, high),
        bits=bits,
    )
    call = _special_call(layer, graph, machine)
    if isinstance(call, KernelCall):
        return replace(call, reason=with_reason(int4_reason(weights, bits), call.reason))
    reason = with_reason(int4_reason(weights, bits), call)
    if bits == 4:
        return _call_s4(layer, reason)
    weights_argument, constants = weights_of_layer(weights, bits)
    return KernelCall(
        kernel="fully_connected_s8",
        params=(
            ("rows", rows),
            ("input_c", input_c),
            ("output_c", output_c),
            ("per_channel", int(per_channel)),
            ("input_offset", -source_quantization.zero_point),
            ("weights_offset", -weights_quantization.zero_point),
            ("output_offset", target_quantization.zero_point),
            ("activation_min", low),
            ("activation_max", high),
        ),
        arguments=(
            TensorRef(source.index),
            weights_argument,
            bias,
            ConstantRef("multipliers"),
            ConstantRef("shifts"),
            TensorRef(target.index),
        ),
        constants=(*constants, *requantization_constants(factors)),
        reason=reason,
    )


def _call_s4(layer: FullyConnected, reason: str) -> KernelCall:
    """The call of the general kernel for weights of 4 bits."""
    output_c, input_c = layer.weights.shape
    source = require_per_tensor(layer.source, "input")
    weights, constants = weights_of_layer(layer.weights, layer.bits)
    multiplier, shift = quantize_multiplier(layer.factors[0])
    return KernelCall(
        kernel="fully_connected_s4",
        params=(
            ("rows", layer.rows),
            ("input_c", input_c),
            ("output_c", output_c),
            ("multiplier", multiplier),
            ("shift", shift),
            ("input_offset", -source.zero_point),
            ("weights_offset", -require_per_tensor(layer.weights, "weights").zero_point),
            ("output_offset", layer.output.zero_point),
            ("activation_min", layer.output.low),
            ("activation_max", layer.output.high),
        ),
        arguments=(
            TensorRef(layer.source.index),
            weights,
            layer.bias,
            TensorRef(layer.target.index),
        ),
        constants=constants,
        reason=reason,
    )


def _special_call(layer: FullyConnected, graph: Graph, machine: Target) -> KernelCall | str:
    """The call of a kernel made for the core, or why none can be used."""
    if layer.bits == 4:
        return packed_call(layer, graph) if machine.core.dsp else "the core has no DSP instructions"
    if machine.core.mve:
        call = mve_fully_connected_call(layer, graph)
        if isinstance(call, KernelCall):
            return call
    if machine.core.dsp:
        return packed_call(layer, graph)
    if machine.core.long_multiplication:
        return row_lanes_call(layer, graph)
    return row_bytes_call(layer, graph)


def _call_s16(layer: LayerSums, rows: int, tensors: tuple[Tensor, Tensor, Tensor]) -> KernelCall:
    """The call for 16-bit activations; `tensors` are input, weights and output."""
    source, weights, target = (TensorRef(tensor.index) for tensor in tensors)
    sums = sums_s16(layer, DType.INT32, DType.INT64)
    return KernelCall(
        kernel="fully_connected_s16",
        params=(
            ("rows", rows),
            ("input_c", layer.products),
            ("output_c", layer.channels),
            ("per_channel", int(len(layer.factors) > 1)),
            *sums.params,
        ),
        arguments=(
            source,
            weights,
            sums.bias,
            ConstantRef("multipliers"),
            ConstantRef("shifts"),
            target,
        ),
        constants=sums.constants,
        reason=sums.reason,
    )


def _require_rows(source: Tensor, target: Tensor, output_c: int, input_c: int) -> int:
    """Number of input vectors; checks that the shapes fit each other.

    Only the output's last axis counts: the others may be kept or flattened.
    """
    rows, rest = divmod(source.elements, input_c)
    if rest or rows < 1:
        raise UnsupportedOperatorError(
            f"an input of {source.elements} elements does not divide into rows of {input_c}",
            CONVERT_AGAIN,
        )
    if target.shape[-1:] != (output_c,) or target.elements != rows * output_c:
        require_shape(target, "output", (rows, output_c))
    return rows


def _weights_quantization(weights: Tensor) -> Quantization:
    """Per tensor with any zero point, or per output channel with zero point 0."""
    quantization = require_quantization(weights, "weights")
    if len(quantization.scales) == 1:
        return quantization
    if weights.dtype is DType.INT4:
        raise UnsupportedOperatorError(
            "int4 weights with a scale for each output are not supported, nor by TFLM "
            "(needs one scale)",
            "quantize these weights per tensor, or to int8",
        )
    if quantization.axis != 0 or len(quantization.scales) != weights.shape[0]:
        raise UnsupportedOperatorError(
            f"weights have {len(quantization.scales)} scales along axis {quantization.axis} "
            f"(needs {weights.shape[0]} along axis 0)",
            QUANTIZE_AGAIN,
        )
    if any(quantization.zero_points):
        raise UnsupportedOperatorError(
            "per-channel weights with a zero point are not supported (needs 0)",
            "quantize the weights symmetrically",
        )
    return quantization


LOWERINGS: dict[str, Lowering] = {"FULLY_CONNECTED": _fully_connected}
