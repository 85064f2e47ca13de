"""CONV_2D by patches of the input, with weights of 8 or 4 bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.lowering.channel_sums import ChannelSums, RequantizedChannels, requantized
from tinyml_tool.compiler.plan import (
    ConstantArray,
    ConstantRef,
    KernelCall,
    ParamValue,
    ScratchRef,
    TensorRef,
)
from tinyml_tool.compiler.requantization_proof import SumRange
from tinyml_tool.compiler.weight_packing import (
    BITS_OF_TWO_SUMS,
    STEP,
    fits_packed_words,
    folded_bias,
    in_order,
    nibble_words,
    packed_words,
    patch_order,
    plain_bias,
    plain_nibble_words,
    plain_words,
)

_GAIN = 8
_PATCHES = 3
_BYTES_OF_STEP = 8
_WHY = {
    True: "pairs for DSP instructions",
    False: "plain products: the core has no DSP instructions",
}


@dataclass(frozen=True)
class PatchGeometry:
    """What a convolution without groups looks at: (height, width, channels) of a filter."""

    window: tuple[int, int, int]
    dilation_w: int

    @property
    def taps(self) -> int:
        """Taps of a run of consecutive input bytes."""
        return self.window[1] if self.dilation_w == 1 else 1

    @property
    def waiting_bytes(self) -> int:
        """Bytes of a patch that make no full word within their run, and room to fill a word."""
        run = self.taps * self.window[2]
        runs = math.prod(self.window) // run
        return -(-runs * (run % STEP) // STEP) * STEP

    def scratch_bytes(self, steps: int) -> int:
        """Bytes of three patches of `steps` steps, of bytes that wait, and of one padded run."""
        patches = steps * _PATCHES * _BYTES_OF_STEP
        return patches + self.waiting_bytes + self.taps * self.window[2]


@dataclass(frozen=True)
class PatchKernel:
    """Which of the kernels of patches."""

    packed: bool
    """For cores with DSP instructions."""
    bits: int = 8
    """Of a weight: 8 or 4."""

    def refusal(self, sums: SumRange, weights: NDArray[Any]) -> str:
        """Why it cannot make `sums` of `weights`; empty where it can."""
        if self.packed and self.bits == 8 and not fits_packed_words(weights):
            return "a weight of -128 stands before a negative one"
        if self.packed and self.bits == 4 and not sums.within(BITS_OF_TWO_SUMS):
            return f"sums may need more than {BITS_OF_TWO_SUMS} bits"
        return ""

    @property
    def words(self) -> Callable[[NDArray[Any], int], NDArray[np.int32]]:
        """How it wants weights."""
        if self.bits == 4:
            return nibble_words if self.packed else plain_nibble_words
        return packed_words if self.packed else plain_words


def _filters(
    rest: RequantizedChannels, weights: NDArray[Any], zero_point: int, kernel: PatchKernel
) -> NDArray[np.int32]:
    """Filters as `patches_s8.h` wants them: biases, packed weights and constants of two and two."""
    words, packed = kernel.words(weights, 2), kernel.packed
    missing = ((0, -len(weights) % 2), (0, 0))
    fold = folded_bias if packed else plain_bias
    bias = fold(weights, rest.bias, zero_point, _GAIN)
    biases = np.pad(bias[:, None], missing).reshape(-1, 2)
    if kernel.packed and kernel.bits == 4:
        # The second filter's sum is 16 times its own plus the first one's.
        biases = np.stack([biases[:, 0], biases[:, 0] + 16 * biases[:, 1]], axis=1)
    constants = np.pad(rest.constants.astype(np.int32), missing).reshape(len(words), -1)
    return np.concatenate([biases, words.reshape(len(words), -1), constants], axis=1).reshape(-1)


def patches_call(
    sums: ChannelSums,
    geometry: PatchGeometry,
    params: list[tuple[str, ParamValue]],
    source: int,
    target: int,
    kernel: PatchKernel,
) -> KernelCall | str:
    """The call of `kernel` between two tensors, or why it cannot be used."""
    rest = requantized(sums, _GAIN)
    if rest is None:
        return "sums may need more than 24 bits"
    order = patch_order(geometry.window, geometry.taps)
    weights = in_order(rest.weights, order)
    live = replace(sums, weights=rest.weights, bias=rest.bias)
    refusal = kernel.refusal(live.range, weights)
    if refusal:
        return refusal
    steps = len(order) // STEP
    fields: list[tuple[str, ParamValue]] = [
        *params,
        ("padding", sums.zero_point),
        ("packed", int(kernel.packed)),
        ("requantization", rest.mode),
        ("patches.steps", steps),
        ("patches.output_c", len(weights)),
        ("patches.shift", rest.shift),
        ("patches.output_offset", sums.output.zero_point),
        ("patches.activation_min", sums.output.low),
        ("patches.activation_max", sums.output.high),
    ]
    if kernel.bits == 4:
        fields = [(f"convolution.{name}", value) for name, value in fields]
    return KernelCall(
        kernel=f"conv_2d_s{kernel.bits}_patches",
        params=tuple(fields),
        arguments=(
            TensorRef(source),
            ConstantRef("filters"),
            ScratchRef(),
            TensorRef(target),
        ),
        constants=(
            ConstantArray(
                "filters",
                _filters(rest, weights, sums.zero_point, kernel),
                f"two and two, weights packed, with {rest.names}",
            ),
        ),
        scratch_bytes=geometry.scratch_bytes(steps),
        reason=f"{_WHY[kernel.packed]}; {rest.reason}",
    )
