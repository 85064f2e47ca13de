"""CONV_2D for cores with vector instructions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.channel_sums import ChannelSums
from tinyml_tool.compiler.lowering.mve_requantization import (
    LANES,
    VectorRequantization,
    blocks_of,
    repeated_channels,
    vector_requantization,
)
from tinyml_tool.compiler.lowering.mve_window import MveWindow
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ParamValue,
    ScratchRef,
    TensorRef,
)

_PIXELS = 3
_LARGEST_BATCH = 12
_SUMS = 256

# Instructions, as counted in the assembly: of a step of three pixels and two filters, besides the
# steps of two filters in one run and in several, of a run of a patch, and of 16 bytes of a run.
_STEP, _ONE_RUN, _RUNS, _RUN, _RUN_STEP = 11, 4, 30, 6, 2
_STEPS_OF_ONE_RUN = 8
"""With more the steps of one run take as long as those of several."""


def _whole(values: int) -> int:
    """Bytes of whole steps."""
    return -(-values // LANES) * LANES


@dataclass(frozen=True)
class _Patch:
    """The runs of consecutive bytes that a window consists of."""

    rows: int
    row_step: int
    runs: int
    run_step: int
    run_bytes: int
    pitch: int

    @staticmethod
    def of(window: MveWindow) -> _Patch:
        columns, channels = window.columns, window.channels
        apart = columns.dilation > 1
        return _Patch(
            rows=window.rows.filter,
            row_step=window.rows.dilation * window.phase_bytes(1),
            runs=columns.filter if apart else 1,
            run_step=columns.dilation * channels,
            run_bytes=channels if apart else columns.filter * channels,
            pitch=columns.stride * channels,
        )

    @property
    def bytes(self) -> int:
        return self.rows * self.runs * self.run_bytes

    def worth_copying(self, output_c: int) -> bool:
        """Whether runs are so short that copying them saves more than it costs."""
        if self.runs > 1:
            return True
        pairs = -(-output_c // 2)
        apart = self.rows * _whole(self.run_bytes) // LANES * _STEP + _RUNS
        steps = _whole(self.bytes) // LANES
        together = steps * _STEP + (_ONE_RUN if steps <= _STEPS_OF_ONE_RUN else _RUNS)
        run = _RUN + _RUN_STEP * _whole(self.run_bytes) // LANES
        return together * pairs + _PIXELS * self.rows * run < apart * pairs

    def params(self, copied: bool) -> list[tuple[str, ParamValue]]:
        run = _whole(self.run_bytes)
        return [
            ("patch.copied", int(copied)),
            ("patch.rows", self.rows),
            ("patch.row_step", self.row_step),
            ("patch.runs", self.runs),
            ("patch.run_step", self.run_step),
            ("patch.run_bytes", self.run_bytes),
            ("patch.pitch", self.pitch),
            ("runs.rows", 1 if copied else self.rows),
            ("runs.steps", (_whole(self.bytes) if copied else run) // LANES),
            ("runs.row_step", 0 if copied else self.row_step),
            ("runs.pitch", _whole(self.bytes) if copied else self.pitch),
        ]

    def window_bytes(self, window: MveWindow) -> int:
        """Bytes of the rows and of what the last three windows read behind them."""
        last = _PIXELS * -(-window.columns.output // _PIXELS) - 1
        end = last * self.pitch + (self.rows - 1) * self.row_step
        end += (self.runs - 1) * self.run_step + _whole(self.run_bytes)
        return max(end, window.rows.reach * window.phase_bytes(1))


def two_and_two(weights: NDArray[Any], runs: int) -> NDArray[np.int8]:
    """Filters [channels, values] in pairs, each run in whole steps: [pairs, steps, 2, 16]."""
    channels = len(weights)
    by_run = weights.reshape(channels, runs, -1)
    missing = ((0, channels % 2), (0, 0), (0, -by_run.shape[2] % LANES))
    steps = np.pad(by_run, missing).reshape(-(-channels // 2), 2, -1, LANES)
    packed: NDArray[np.int8] = np.ascontiguousarray(steps.transpose(0, 2, 1, 3), np.int8)
    return packed


def _together(output_c: int) -> int:
    """Pixels whose outputs make whole vectors, or nearly: many where their sums are few."""

    def cost(pixels: int) -> tuple[float, bool, int]:
        waste = _whole(pixels * output_c) / (pixels * output_c)
        many = pixels * output_c > _SUMS
        return waste, many, pixels if many else -pixels

    return min(range(_PIXELS, _LARGEST_BATCH + 1, _PIXELS), key=cost)


def _call(
    kernel: str,
    rest: VectorRequantization,
    params: list[tuple[str, ParamValue]],
    weights: NDArray[np.int8],
    tensors: tuple[int, int],
    scratch_bytes: int,
    blocks: int,
) -> KernelCall:
    channels = len(rest.sums.weights)
    return KernelCall(
        kernel=kernel,
        params=(*params, *rest.params(blocks)),
        arguments=(
            TensorRef(tensors[0]),
            ConstantRef("weights"),
            ConstantRef("constants"),
            ScratchRef(),
            TensorRef(tensors[1]),
        ),
        constants=(
            ConstantArray("weights", weights.reshape(-1), "two and two filters, 16 and 16 bytes"),
            rest.table(repeated_channels(channels, blocks)),
        ),
        scratch_bytes=scratch_bytes,
        reason=f"the core has vector instructions; {rest.reason}",
    )


def mve_convolution_call(
    sums: ChannelSums, window: MveWindow, source: int, target: int
) -> KernelCall:
    """The call of a kernel for CONV_2D without groups between two tensors."""
    rest = vector_requantization(sums)
    if window.is_pointwise:
        return _pointwise(rest, window, source, target)
    output_c = len(sums.weights)
    pixels = _together(output_c)
    patch = _Patch.of(window)
    copied = patch.worth_copying(output_c)
    scratch = 4 * _whole((pixels + 2) * output_c) + patch.window_bytes(window)
    scratch += _PIXELS * _whole(patch.bytes) + LANES if copied else 0
    return _call(
        "conv_2d_s8_mve",
        rest,
        [
            ("batches", window.batches),
            ("output_h", window.rows.output),
            ("output_w", window.columns.output),
            ("output_c", output_c),
            ("pixels", pixels),
            *window.params(1),
            *patch.params(copied),
        ],
        two_and_two(sums.weights, 1 if copied else patch.rows),
        (source, target),
        scratch,
        blocks_of(output_c, (pixels + 2) * output_c),
    )


def _pointwise(
    rest: VectorRequantization, window: MveWindow, source: int, target: int
) -> KernelCall:
    output_c, input_c = len(rest.sums.weights), window.channels
    pixels = window.batches * window.rows.output * window.columns.output
    together = _together(output_c)
    run = _whole(input_c)
    # The third pixel of a block begins 2 behind its first, and is read in whole steps.
    inside = max(0, (pixels * input_c - run) // input_c + 1)
    direct = min(inside, pixels) // _PIXELS * _PIXELS
    scratch = 4 * _whole(together * output_c) + (_PIXELS * run if direct < pixels else 0)
    return _call(
        "pointwise_conv_2d_s8_mve",
        rest,
        [
            ("pixels", pixels),
            ("input_c", input_c),
            ("output_c", output_c),
            ("direct", direct),
            ("requantized", together),
            ("runs.rows", 1),
            ("runs.steps", run // LANES),
            ("runs.row_step", 0),
            ("runs.pitch", input_c),
        ],
        two_and_two(rest.sums.weights, 1),
        (source, target),
        scratch,
        blocks_of(output_c, together * output_c),
    )
