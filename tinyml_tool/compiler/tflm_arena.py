"""How large an arena TFLM gets on a board, from what its reference kernels needed on the host."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tinyml_tool.boards import Core
from tinyml_tool.graph.measure import peak_activation_bytes
from tinyml_tool.graph.types import DType, Graph, Operator

ARENA_MARGIN = 1024
"""Bytes on top of everything.  The host's pointers are twice as long, so much more is left over."""

_BLOCK_CHANNELS = 124
"""Channels that CMSIS-NN's vector kernel of a depthwise convolution unpacks at a time."""


_EVAL_TENSOR = 12
_NODE = 32
_OWN_OBJECTS = 128
_ALLOCATION_INFO = 24
_PLANNED_BUFFER = 40
_SCRATCH_REQUEST = 12
_REQUESTS_AHEAD = 12
"""Requests for scratch buffers that one operator may make; TFLM keeps room for them."""
_SCRATCH_BUFFERS = {
    "CUSTOM:TFLite_Detection_PostProcess": 11,
    "MEAN": 3,
    "MIRROR_PAD": 2,
    "REDUCE_MAX": 2,
    "REDUCE_MIN": 2,
    "SUM": 3,
    "SVDF": 4,
    "TRANSPOSE_CONV": 2,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 4,
}
"""By kind of operator, the most that its kernels ask for; of the others at most one."""
_ALIGNMENTS = 64
"""What the parts of the arena may lose to being aligned."""


@dataclass(frozen=True)
class _Extra:
    """Bytes an operator takes with optimised kernels and not with the reference's."""

    kept: int = 0
    """From the start to the end."""
    scratch: int = 0
    """While it runs."""


def arena_for(graph: Graph, measured: int, core: Core) -> int:
    """Bytes of arena for `core`, where the reference needed `measured` on a 64-bit host."""
    return measured + optimised_kernels_bytes(graph, core) + ARENA_MARGIN


def optimised_kernels_bytes(graph: Graph, core: Core) -> int:
    """An upper bound for what CMSIS-NN's kernels for `core` take beyond the reference's.

    Source: the functions arm_*_get_buffer_size() of CMSIS-NN 7.0.  The kernel with the largest
    scratch buffer need not run where memory is tightest: then less is used.
    """
    extras = [_extra(operator, graph, core) for operator in graph.operators]
    return sum(e.kept for e in extras) + max((e.scratch for e in extras), default=0)


def arena_least(graph: Graph) -> int:
    """Bytes of arena below which TFLM cannot start on any core: a lower bound, by far.

    Activations that are alive together, what describes each tensor and each operator on a 32-bit
    core, and TFLM's own objects.  Too small an arena makes some builds of TFLM crash, not fail.
    """
    described = _EVAL_TENSOR * len(graph.tensors) + _NODE * len(graph.operators)
    return _padded(peak_activation_bytes(graph) + described + _OWN_OBJECTS, 16)


def arena_enough(graph: Graph, used: int) -> int:
    """Bytes of arena, a multiple of 16, that suffice where the device reports `used`.

    While TFLM starts, it keeps the lists of its memory planner where the tensors will lie (sizes
    of a 32-bit core; source: micro_allocator.cc, greedy_memory_planner.h).  Only where they are
    longer than the tensors, in small models, does it need more than in the end.
    """
    activations = {t for op in graph.operators for t in (*op.inputs, *op.outputs) if t >= 0}
    planned = sum(not graph.tensors[t].is_constant for t in activations)
    scratch = sum(_SCRATCH_BUFFERS.get(op.kind, 1) for op in graph.operators)
    lists = (
        _ALLOCATION_INFO * (len(graph.tensors) + scratch)
        + _PLANNED_BUFFER * (planned + scratch)
        + _SCRATCH_REQUEST * (_REQUESTS_AHEAD + scratch)
    )
    extra = max(0, lists - peak_activation_bytes(graph))
    return _padded(used + extra + _ALIGNMENTS, 16)


def _extra(operator: Operator, graph: Graph, core: Core) -> _Extra:
    rule = _RULES.get(operator.kind)
    data = graph.tensors[operator.inputs[0]].dtype
    if rule is None or data not in (DType.INT8, DType.INT16):
        return _Extra()
    return rule(operator, graph, core)


def _padded(count: int, multiple: int) -> int:
    return math.ceil(count / multiple) * multiple


def _convolution(operator: Operator, graph: Graph, core: Core) -> _Extra:
    """Windows of the input, side by side: four of bytes, or two widened to 16 bits."""
    source, weights = (graph.tensors[t] for t in operator.inputs[:2])
    _, height, width, channels = weights.shape
    if height == width == 1 and source.dtype is DType.INT8:
        return _Extra()
    window = height * width * channels
    if core.mve:
        return _Extra(scratch=4 * _padded(window * source.dtype.bytes, 16))
    return _Extra(scratch=4 * _padded(window, 4))


def _depthwise(operator: Operator, graph: Graph, core: Core) -> _Extra:
    source, weights = (graph.tensors[t] for t in operator.inputs[:2])
    _, height, width, channels = weights.shape
    window = height * width
    if core.mve and source.shape[-1] == 1:
        as_convolution = 4 * _padded(window * source.dtype.bytes, 16)
        return _Extra(scratch=as_convolution + channels * window)
    if core.mve and source.dtype is DType.INT8:
        return _Extra(scratch=4 * _BLOCK_CHANNELS * window)
    if core.mve:
        return _Extra(scratch=4 * channels * window * 2 + 8)
    if not core.dsp or (height == width == 3 and source.dtype is DType.INT8):
        return _Extra()
    return _Extra(scratch=channels * window * 2)


def _fully_connected(operator: Operator, graph: Graph, core: Core) -> _Extra:
    """Sums of the weights, or biases shortened to 32 bits, of every output."""
    outputs = graph.tensors[operator.inputs[1]].shape[0]
    wide = graph.tensors[operator.inputs[0]].dtype is DType.INT16
    return _Extra(kept=4 * outputs if core.mve or wide else 0)


def _average_pool(operator: Operator, graph: Graph, core: Core) -> _Extra:
    return _Extra(scratch=4 * graph.tensors[operator.inputs[0]].shape[-1] if core.dsp else 0)


_RULES: dict[str, Callable[[Operator, Graph, Core], _Extra]] = {
    "AVERAGE_POOL_2D": _average_pool,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "SVDF": _fully_connected,
}
