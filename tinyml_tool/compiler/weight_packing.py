"""Weights in the order in which kernels read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.fixed_point import Integers

STEP = 4
"""Input values that the kernels of `dsp.h` multiply in one step."""


def fits_packed_words(weights: NDArray[Any]) -> bool:
    """Whether every pair of weights fits one 16-bit half, for `packed_words`.

    weights: [channels, values], values a multiple of 4.  Only -128 before a negative weight does
    not.
    """
    return not bool(((weights[:, 0::2] == -128) & (weights[:, 1::2] < 0)).any())


def packed_words(weights: NDArray[Any], channels: int) -> NDArray[np.int32]:
    """Weights as words V = (256 w0 + w1, 256 w2 + w3), those of `channels` filters interleaved.

    weights: int8 [filters, values], values a multiple of 4; filters that are missing are zeros.
    Returns words [filters / channels, values / 4, channels].
    """
    filters, values = weights.shape
    missing = -filters % channels
    wide = np.pad(weights.astype(np.int32), ((0, missing), (0, 0)))
    halves = (256 * wide[:, 0::2] + wide[:, 1::2]).astype("<i2")
    words = halves.reshape(-1, channels, values // STEP, 2).transpose(0, 2, 1, 3)
    packed: NDArray[np.int32] = np.ascontiguousarray(words).view("<i4")[..., 0].astype(np.int32)
    return packed


def plain_words(weights: NDArray[Any], channels: int) -> NDArray[np.int32]:
    """Weights as words of four bytes in their order; otherwise as `packed_words`."""
    filters, values = weights.shape
    wide = np.pad(weights.astype(np.int8), ((0, -filters % channels), (0, 0)))
    words = wide.reshape(-1, channels, values // STEP, STEP).transpose(0, 2, 1, 3)
    plain: NDArray[np.int32] = np.ascontiguousarray(words).view("<i4")[..., 0].astype(np.int32)
    return plain


def plain_bias(
    weights: NDArray[Any], bias: Integers, zero_point: int, gain: int
) -> NDArray[np.int32]:
    """The bias of kernels that multiply inputs as they are, times 2**gain."""
    folded = bias - zero_point * weights.astype(np.int64).sum(axis=1)
    wrapped: NDArray[np.int32] = (folded << gain).astype(np.uint32).view(np.int32)
    return wrapped


def folded_bias(
    weights: NDArray[Any], bias: Integers, zero_point: int, gain: int
) -> NDArray[np.int32]:
    """The bias of kernels that multiply (x0 - 127, x1, x2 - 127, x3, ...), times 2**gain.

    weights: [channels, values] in the order of the multiplication; zero_point: the input's.
    """
    wide = weights.astype(np.int64)
    folded = bias + 127 * wide[:, 0::2].sum(axis=1) - zero_point * wide.sum(axis=1)
    wrapped: NDArray[np.int32] = (folded << gain).astype(np.uint32).view(np.int32)
    return wrapped


def patch_order(window: tuple[int, int, int], taps: int) -> NDArray[np.int64]:
    """The order in which `conv_2d_s8_patches.h` takes the values of a filter; -1 is padding.

    window: (filter_h, filter_w, input_c) of a filter; taps: those of a run.  Whole words of each
    run come first, then the runs' last bytes.
    """
    runs = np.arange(np.prod(window), dtype=np.int64).reshape(-1, taps * window[2])
    whole = runs.shape[1] // STEP * STEP
    order = np.concatenate([runs[:, :whole].reshape(-1), runs[:, whole:].reshape(-1)])
    return np.pad(order, (0, -len(order) % STEP), constant_values=-1)


def in_order(weights: NDArray[Any], order: NDArray[np.int64]) -> NDArray[Any]:
    """Weights [channels, values] in `order`, zeros where it says -1."""
    return np.pad(weights, ((0, 0), (0, 1)))[:, order]
