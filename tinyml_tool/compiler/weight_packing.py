"""Weights in the order in which kernels read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.fixed_point import Integers

STEP = 4
"""Input values that the kernels of `dsp.h` multiply in one step."""


BITS_OF_TWO_SUMS = 20
"""That sums of 4-bit weights may have on cores with DSP instructions: `nibbles_s4.h` has two in
one, 16 times and 256 times the true ones."""


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


def nibble_words(weights: NDArray[Any], channels: int) -> NDArray[np.int32]:
    """4-bit weights, those of two filters in a word as `nibbles_s4.h` has them.

    weights: -8 to 7 [filters, values], values a multiple of 4; filters that are missing are zeros.
    channels: filters that are interleaved, an even number.  Returns words
    [filters / channels, values / 4, channels / 2].
    """
    first, second = _nibble_pairs(weights, channels)
    lower, upper = first + 8, second + np.array([0, 8, 0, 8])
    nibbles = [lower[..., 1], upper[..., 1], lower[..., 0], upper[..., 0]]
    nibbles += [lower[..., 3], upper[..., 3], lower[..., 2], upper[..., 2]]
    return _words_of_nibbles(nibbles)


def plain_nibble_words(weights: NDArray[Any], channels: int) -> NDArray[np.int32]:
    """The same for cores without DSP instructions: the two filters' weights in turn."""
    first, second = _nibble_pairs(weights, channels)
    nibbles = [filters[..., place] for place in range(STEP) for filters in (first, second)]
    return _words_of_nibbles(nibbles)


def _nibble_pairs(
    weights: NDArray[Any], channels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Weights of the first and of the second filters, [groups, steps, channels / 2, 4]."""
    filters, values = weights.shape
    wide = np.pad(weights.astype(np.int64), ((0, -filters % channels), (0, 0)))
    steps = wide.reshape(-1, channels, values // STEP, STEP).transpose(0, 2, 1, 3)
    return steps[:, :, 0::2], steps[:, :, 1::2]


def _words_of_nibbles(nibbles: Sequence[NDArray[np.int64]]) -> NDArray[np.int32]:
    """Words of eight values each, the lowest bits first."""
    parts = [(values & 15) << (4 * place) for place, values in enumerate(nibbles)]
    words: NDArray[np.int32] = np.sum(parts, axis=0).astype(np.uint32).view(np.int32)
    return words


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
