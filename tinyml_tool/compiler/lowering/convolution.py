"""CONV_2D and DEPTHWISE_CONV_2D."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.channel_sums import ChannelSums
from tinyml_tool.compiler.lowering.convolution_lanes import lanes_call
from tinyml_tool.compiler.lowering.convolution_patches import (
    PatchGeometry,
    PatchKernel,
    patches_call,
)
from tinyml_tool.compiler.lowering.convolution_s16 import pairs_call, quads_call
from tinyml_tool.compiler.lowering.depthwise_lanes import depthwise_lanes_call
from tinyml_tool.compiler.lowering.depthwise_planes import PlaneAxis, PlaneGeometry, planes_call
from tinyml_tool.compiler.lowering.int4_weights import (
    bits_in_flash,
    int4_reason,
    require_weights,
    weights_of_layer,
    with_reason,
)
from tinyml_tool.compiler.lowering.mve_convolution import mve_convolution_call
from tinyml_tool.compiler.lowering.mve_depthwise import mve_depthwise_call
from tinyml_tool.compiler.lowering.mve_window import MveAxis, MveWindow
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
from tinyml_tool.compiler.lowering.windows import WindowAxis, window_axis
from tinyml_tool.compiler.numerics import activation_range
from tinyml_tool.compiler.plan import (
    Argument,
    ConstantRef,
    KernelCall,
    NullRef,
    ParamValue,
    TensorRef,
)
from tinyml_tool.compiler.requantization_proof import OutputRange
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.config import Optimize
from tinyml_tool.graph.options import Conv2DOptions
from tinyml_tool.graph.types import DType, Graph, Operator, Quantization, Tensor

_CONV_AXIS, _DEPTHWISE_AXIS = 0, 3
"""Of the weights: where the output channels are."""
_NO_BIAS = np.zeros(1, np.int32)


@dataclass(frozen=True)
class _Convolution:
    """The checked operands that both kinds of convolution have."""

    options: Conv2DOptions
    input: Tensor
    weights: Tensor
    output: Tensor
    bias: Argument
    """Of int8 layers; see `call_s16` for others."""
    factors: list[float]
    rows: WindowAxis
    columns: WindowAxis
    bits: int = 8
    """Of a weight in flash: 4 where it is int4 and stays packed."""

    @property
    def reason(self) -> str:
        """What is to be told of int4 weights."""
        return int4_reason(self.weights, self.bits)

    def window_params(self) -> list[tuple[str, ParamValue]]:
        """How the window moves over the input."""
        return [
            ("stride_h", self.options.stride_h),
            ("stride_w", self.options.stride_w),
            ("dilation_h", self.options.dilation_h),
            ("dilation_w", self.options.dilation_w),
            ("pad_h", self.rows.pad),
            ("pad_w", self.columns.pad),
        ]

    def value_params(self) -> list[tuple[str, ParamValue]]:
        """Offsets and activation range."""
        target = require_per_tensor(self.output, "output")
        low, high = activation_range(self.options.activation, DType.INT8, target)
        return [
            ("input_offset", -require_per_tensor(self.input, "input").zero_point),
            ("output_offset", target.zero_point),
            ("activation_min", low),
            ("activation_max", high),
        ]

    def mve_window(self) -> MveWindow:
        """The geometry, for the kernels of cores with vector instructions."""
        batches, input_h, input_w, input_c = self.input.shape
        _, filter_h, filter_w, _ = self.weights.shape
        options, rows, columns = self.options, self.rows, self.columns
        return MveWindow(
            batches,
            input_c,
            MveAxis(input_h, rows.output, filter_h, options.stride_h, options.dilation_h, rows.pad),
            MveAxis(
                input_w,
                columns.output,
                filter_w,
                options.stride_w,
                options.dilation_w,
                columns.pad,
            ),
            require_per_tensor(self.input, "input").zero_point,
        )

    def sums(self, graph: Graph, channel_axis: int) -> ChannelSums | None:
        """What is known of the sums; None where weights or bias are no constants."""
        bias: NDArray[Any] | None = _NO_BIAS
        if isinstance(self.bias, TensorRef):
            bias = graph.tensors[self.bias.tensor].data
        if self.weights.data is None or bias is None:
            return None
        target = require_per_tensor(self.output, "output")
        low, high = activation_range(self.options.activation, DType.INT8, target)
        channels = self.weights.shape[channel_axis]
        weights = np.moveaxis(self.weights.data, channel_axis, 0).reshape(channels, -1)
        return ChannelSums(
            weights=weights,
            bias=np.broadcast_to(bias.reshape(-1).astype(np.int64), (channels,)),
            zero_point=require_per_tensor(self.input, "input").zero_point,
            factors=tuple(self.factors),
            output=OutputRange(target.zero_point, low, high),
        )

    def call(
        self, kernel: str, params: list[tuple[str, ParamValue]], reason: str = ""
    ) -> KernelCall:
        """The call of `kernel`; all these kernels take the same arguments."""
        weights, constants = weights_of_layer(self.weights, self.bits)
        return KernelCall(
            kernel=f"{kernel}_s{self.bits}",
            params=tuple(params),
            arguments=(
                TensorRef(self.input.index),
                weights,
                self.bias,
                ConstantRef("multipliers"),
                ConstantRef("shifts"),
                TensorRef(self.output.index),
            ),
            constants=(*constants, *requantization_constants(self.factors)),
            reason=reason,
        )

    def call_s16(
        self, kernel: str, geometry: list[tuple[str, ParamValue]], case: _Wide
    ) -> KernelCall:
        """The call of a kernel for 16-bit activations; both kernels take the same arguments."""
        channels = self.weights.shape[case.channel_axis]
        target = require_per_tensor(self.output, "output")
        low, high = activation_range(self.options.activation, DType.INT16, target)
        weights = self.weights.data
        if weights is not None:
            weights = np.moveaxis(weights, case.channel_axis, 0).reshape(channels, -1)
        sums = sums_s16(
            LayerSums(
                weights=weights,
                products=self.weights.elements // channels,
                channels=channels,
                bias=case.bias,
                narrow_bias=self.options.narrow_bias,
                factors=self.factors,
                low=low,
                high=high,
                pairs=case.pairs,
            ),
            *case.bias_types,
        )
        return KernelCall(
            kernel=kernel,
            params=(*geometry, *self.window_params(), *sums.params),
            arguments=(
                TensorRef(self.input.index),
                TensorRef(self.weights.index),
                sums.bias,
                ConstantRef("multipliers"),
                ConstantRef("shifts"),
                TensorRef(self.output.index),
            ),
            constants=sums.constants,
            reason=sums.reason,
        )


@dataclass(frozen=True)
class _Wide:
    """What differs between the two kinds of convolution of 16-bit activations."""

    channel_axis: int
    bias: Tensor | None
    bias_types: tuple[DType, ...]
    pairs: bool


def _convolution(
    operator: Operator, graph: Graph, channel_axis: int, optimize: Optimize
) -> _Convolution:
    """Check what both kinds need; `channel_axis` is the output channels' axis of the weights."""
    require_operands(operator, (2, 3))
    options = require_options(operator, Conv2DOptions)
    source = require_input(operator, graph, 0, "input")
    weights = require_input(operator, graph, 1, "weights")
    target = graph.tensors[operator.outputs[0]]
    require_dtype(source, "input", DType.INT8, DType.INT16)
    require_weights(weights, source)
    require_dtype(target, "output", source.dtype)
    for tensor, role in ((source, "input"), (weights, "weights"), (target, "output")):
        require_rank(tensor, role, 4)
        if tensor.dtype is DType.INT16:
            require_symmetric(tensor, role)
    batches, height, width, _ = source.shape
    _, filter_h, filter_w, _ = weights.shape
    channels = weights.shape[channel_axis]
    if options.pad_before is None:
        rows = window_axis(options.padding, height, filter_h, options.stride_h, options.dilation_h)
        columns = window_axis(
            options.padding, width, filter_w, options.stride_w, options.dilation_w
        )
    else:
        # A graph pass folded a PAD, which was checked with the model.
        rows, columns = map(WindowAxis, target.shape[1:3], options.pad_before)
    require_shape(target, "output", (batches, rows.output, columns.output, channels))
    factors = channel_factors(
        require_per_tensor(source, "input"),
        _symmetric(weights, channel_axis),
        require_per_tensor(target, "output"),
        channels,
    )
    wide = source.dtype is DType.INT16
    bias = NullRef() if wide else require_bias(operator, graph, 2, channels)
    # Depthwise filters are a small part of a network's weights, if not of one input channel.
    few = channel_axis == _DEPTHWISE_AXIS and source.shape[3] > 1
    bits = bits_in_flash(weights, optimize, few=few)
    return _Convolution(options, source, weights, target, bias, factors, rows, columns, bits)


def _symmetric(weights: Tensor, channel_axis: int) -> Quantization:
    """The weights' quantization: per tensor or per output channel, zero point 0."""
    quantization = require_quantization(weights, "weights")
    if len(quantization.scales) > 1 and (
        quantization.axis != channel_axis or len(quantization.scales) != weights.shape[channel_axis]
    ):
        raise UnsupportedOperatorError(
            f"weights have {len(quantization.scales)} scales along axis {quantization.axis} "
            f"(needs {weights.shape[channel_axis]} along axis {channel_axis})",
            QUANTIZE_AGAIN,
        )
    if any(quantization.zero_points):
        raise UnsupportedOperatorError(
            "weights with a zero point are not supported (needs 0)",
            "quantize the weights symmetrically",
        )
    return quantization


def _conv_2d(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    convolution = _convolution(operator, graph, _CONV_AXIS, machine.optimize)
    batches, input_h, input_w, input_c = convolution.input.shape
    output_c, filter_h, filter_w, filter_c = convolution.weights.shape
    groups, rest = divmod(input_c, filter_c)
    if rest or groups < 1 or output_c % groups:
        raise UnsupportedOperatorError(
            f"{output_c} filters of {filter_c} channels do not divide {input_c} input channels "
            "into groups",
            CONVERT_AGAIN,
        )
    geometry: list[tuple[str, ParamValue]] = [
        ("batches", batches),
        ("input_h", input_h),
        ("input_w", input_w),
        ("input_c", input_c),
        ("filter_h", filter_h),
        ("filter_w", filter_w),
        ("filter_c", filter_c),
        ("output_h", convolution.rows.output),
        ("output_w", convolution.columns.output),
        ("output_c", output_c),
    ]
    if convolution.input.dtype is DType.INT16:
        bias = optional_input(operator, graph, 2)
        case = _Wide(0, bias, (DType.INT32, DType.INT64), machine.core.dsp)
        general = convolution.call_s16("conv_2d_s16", geometry, case)
        return pairs_call(general, convolution.weights.data) if machine.core.dsp else general
    if machine.core.mve and convolution.bits == 8:
        vectors = _by_vectors(convolution, graph)
        if vectors is not None:
            return vectors
    call = _by_patches(convolution, graph, machine)
    if isinstance(call, KernelCall):
        return call
    return convolution.call(
        "conv_2d",
        [*geometry, *convolution.window_params(), *convolution.value_params()],
        reason=with_reason(convolution.reason, call),
    )


def _by_vectors(convolution: _Convolution, graph: Graph) -> KernelCall | None:
    """The call of a kernel for vector instructions; None where there is none."""
    sums = convolution.sums(graph, channel_axis=0)
    if sums is None or convolution.weights.shape[3] != convolution.input.shape[3]:
        return None
    return mve_convolution_call(
        sums, convolution.mve_window(), convolution.input.index, convolution.output.index
    )


def _depthwise_by_vectors(
    convolution: _Convolution, graph: Graph, machine: Target
) -> KernelCall | None:
    """The call of a kernel for vector instructions; None where there is none."""
    sums = convolution.sums(graph, channel_axis=3)
    if sums is None:
        return None
    window = convolution.mve_window()
    tensors = convolution.input.index, convolution.output.index
    if window.channels == 1:
        # Every filter sees the one channel: a convolution like any other.
        return mve_convolution_call(sums, window, *tensors)
    if convolution.options.depth_multiplier != 1:
        return None
    return mve_depthwise_call(sums, window, machine.optimize, *tensors)


def _by_patches(convolution: _Convolution, graph: Graph, machine: Target) -> KernelCall | str:
    """The call of the kernel of patches, or why it cannot be used."""
    _, filter_h, filter_w, filter_c = convolution.weights.shape
    if filter_c != convolution.input.shape[3]:
        return "the convolution has groups"
    sums = convolution.sums(graph, channel_axis=0)
    if sums is None:
        return "weights or bias are computed by the model"
    return _patches(convolution, sums, (filter_h, filter_w, filter_c), machine)


def _patches(
    convolution: _Convolution, sums: ChannelSums, window: tuple[int, int, int], machine: Target
) -> KernelCall | str:
    batches, input_h, input_w, input_c = convolution.input.shape
    filter_h, filter_w, _ = window
    params: list[tuple[str, ParamValue]] = [
        ("batches", batches),
        ("input_h", input_h),
        ("input_w", input_w),
        ("input_c", input_c),
        ("filter_h", filter_h),
        ("filter_w", filter_w),
        ("output_h", convolution.rows.output),
        ("output_w", convolution.columns.output),
        *convolution.window_params(),
    ]
    tensors = convolution.input.index, convolution.output.index
    core, bits = machine.core, convolution.bits
    if core.is_arm and not core.dsp and bits == 8:
        call = lanes_call(sums, params, *tensors, 2 if core.long_multiplication else 1)
    else:
        geometry = PatchGeometry(window, convolution.options.dilation_w)
        call = patches_call(sums, geometry, params, *tensors, PatchKernel(core.dsp, bits))
    if isinstance(call, str):
        return call
    return replace(call, reason=with_reason(convolution.reason, call.reason))


def _depthwise_conv_2d(operator: Operator, graph: Graph, machine: Target) -> KernelCall:
    convolution = _convolution(operator, graph, _DEPTHWISE_AXIS, machine.optimize)
    batches, input_h, input_w, input_c = convolution.input.shape
    filters, filter_h, filter_w, output_c = convolution.weights.shape
    depth_multiplier = convolution.options.depth_multiplier
    if filters != 1 or output_c != input_c * depth_multiplier:
        raise UnsupportedOperatorError(
            f"weights of {filters}x{filter_h}x{filter_w}x{output_c} do not fit {input_c} input "
            f"channels with depth multiplier {depth_multiplier}",
            CONVERT_AGAIN,
        )
    geometry: list[tuple[str, ParamValue]] = [
        ("batches", batches),
        ("input_h", input_h),
        ("input_w", input_w),
        ("input_c", input_c),
        ("filter_h", filter_h),
        ("filter_w", filter_w),
        ("depth_multiplier", depth_multiplier),
        ("output_h", convolution.rows.output),
        ("output_w", convolution.columns.output),
    ]
    if convolution.input.dtype is DType.INT16:
        # TFLM reads every bias as one of 64 bits here.
        case = _Wide(3, optional_input(operator, graph, 2), (DType.INT64,), pairs=False)
        general = convolution.call_s16("depthwise_conv_2d_s16", geometry, case)
        return quads_call(general, convolution.weights.data) if machine.core.dsp else general
    if machine.core.mve and convolution.bits == 8:
        vectors = _depthwise_by_vectors(convolution, graph, machine)
        if vectors is not None:
            return vectors
    call = _by_planes(convolution, graph, machine)
    if isinstance(call, KernelCall):
        return call
    return convolution.call(
        "depthwise_conv_2d",
        [*geometry, *convolution.window_params(), *convolution.value_params()],
        reason=with_reason(convolution.reason, call),
    )


def _by_planes(convolution: _Convolution, graph: Graph, machine: Target) -> KernelCall | str:
    """The call of a kernel that convolves plane by plane, or why none can be used."""
    batches, input_h, input_w, input_c = convolution.input.shape
    _, filter_h, filter_w, _ = convolution.weights.shape
    sums = convolution.sums(graph, channel_axis=3)
    if sums is None:
        return "weights or bias are computed by the model"
    if input_c == 1:
        # Every filter sees the one channel: a convolution like any other.
        return _patches(convolution, sums, (filter_h, filter_w, 1), machine)
    refused = _no_planes(convolution, machine)
    if refused:
        return refused
    rows, columns = convolution.rows, convolution.columns
    planes = PlaneGeometry(
        batches,
        input_c,
        convolution.options.stride_h,
        PlaneAxis(input_h, rows.output, rows.pad, input_w * input_c, columns.output * input_c),
        PlaneAxis(input_w, columns.output, columns.pad, input_c, input_c),
    )
    tensors = convolution.input.index, convolution.output.index
    if machine.core.dsp:
        return planes_call(sums, planes, *tensors, machine.optimize)
    return depthwise_lanes_call(sums, planes, *tensors, machine)


def _no_planes(convolution: _Convolution, machine: Target) -> str:
    """Why the kernels of planes cannot be used; empty where they can."""
    options = convolution.options
    _, filter_h, filter_w, output_c = convolution.weights.shape
    channels = convolution.input.shape[3]
    if not machine.core.is_arm:
        return "the core is no Arm core"
    if convolution.bits == 4:
        return "kernels of planes have weights of 8 bits, which preset size avoids"
    if (filter_h, filter_w) != (3, 3) or channels != output_c or channels < 4:
        return "not 3x3 on 4 channels or more, each with one output"
    if (options.dilation_h, options.dilation_w) != (1, 1):
        return "the convolution is dilated"
    if options.stride_h != options.stride_w or options.stride_h > 2:
        return "strides other than 1x1 and 2x2"
    return ""


LOWERINGS: dict[str, Lowering] = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
}
