"""DEPTHWISE_CONV_2D with one output a channel, for cores with vector instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.channel_sums import ChannelSums
from tinyml_tool.compiler.lowering.mve_requantization import (
    LANES,
    blocks_of,
    repeated_channels,
    vector_requantization,
)
from tinyml_tool.compiler.lowering.mve_window import MveWindow
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ScratchRef,
    TensorRef,
)
from tinyml_tool.config import Optimize

_TABLE_BYTES: dict[Optimize, int] = {"size": 0, "balanced": 4096, "speed": 16384}
"""What weights and constants may take so that vectors need not end with a pixel."""

_BYTES_OF_CONSTANTS = 12


def taps_together(weights: NDArray[Any]) -> int:
    """The most taps whose products always fit 16 bits, taken one group after another.

    weights: int8 [channels, taps].
    """
    wide = weights.astype(np.int64)
    most = np.maximum(127 * wide, -128 * wide)
    least = np.minimum(127 * wide, -128 * wide)
    taps = wide.shape[1]

    def fit(group: int) -> bool:
        starts = np.arange(0, taps, group)
        high = np.add.reduceat(most, starts, axis=1)
        low = np.add.reduceat(least, starts, axis=1)
        return bool((high < 1 << 15).all() and (low >= -(1 << 15)).all())

    return max(group for group in range(1, taps + 1) if fit(group))


def mve_depthwise_call(
    sums: ChannelSums, window: MveWindow, optimize: Optimize, source: int, target: int
) -> KernelCall:
    """The call of `depthwise_conv_2d_s8_mve` between two tensors.

    sums: weights [channels, taps], row by row.
    """
    rest = vector_requantization(sums)
    channels, columns = window.channels, window.columns
    phases = columns.stride if columns.output > 1 else 1
    taps = sums.weights.shape[1]
    whole_rows = blocks_of(channels, columns.output * channels)
    single_pixels = blocks_of(channels, channels)
    table_bytes = whole_rows * LANES * (taps + _BYTES_OF_CONSTANTS)
    by_row = whole_rows <= single_pixels or table_bytes <= _TABLE_BYTES[optimize]
    blocks = whole_rows if by_row else single_pixels
    lanes = repeated_channels(channels, blocks)
    weights = sums.weights[lanes].reshape(blocks, LANES, taps).transpose(0, 2, 1)
    return KernelCall(
        kernel="depthwise_conv_2d_s8_mve",
        params=(
            ("batches", window.batches),
            ("output_h", window.rows.output),
            ("segments", 1 if by_row else columns.output),
            ("segment_bytes", columns.output * channels if by_row else channels),
            ("filter_h", window.rows.filter),
            ("filter_w", columns.filter),
            ("dilation_h", window.rows.dilation),
            ("dilation_w", columns.dilation),
            ("group", taps_together(sums.weights)),
            *window.params(phases),
            *rest.params(blocks),
        ),
        arguments=(
            TensorRef(source),
            ConstantRef("weights"),
            ConstantRef("constants"),
            ScratchRef(),
            TensorRef(target),
        ),
        constants=(
            ConstantArray(
                "weights",
                np.ascontiguousarray(weights, np.int8).reshape(-1),
                "tap by tap for each 16 neighbouring outputs",
            ),
            rest.table(lanes),
        ),
        scratch_bytes=window.rows.reach * phases * window.phase_bytes(phases) + LANES - 1,
        reason=f"the core has vector instructions; {rest.reason}",
    )
