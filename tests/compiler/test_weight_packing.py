"""Packed weights give, in the kernels' arithmetic, the sums of the plain ones."""

import numpy as np
import pytest

from tinyml_tool.compiler.fixed_point import wrap
from tinyml_tool.compiler.weight_packing import (
    fits_packed_words,
    folded_bias,
    in_order,
    packed_words,
    patch_order,
)


def halves(words):
    return words.astype(np.int64) & 0xFFFF, words.astype(np.int64) >> 16


def signed(values, bits):
    return wrap(np.asarray(values), bits)


def packed_sum(inputs, words):
    """A*V + B*W as `patches_s8.h` says, in plain integers."""
    total = 0
    for (x0, x1, x2, x3), word in zip(inputs.reshape(-1, 4).tolist(), words.tolist(), strict=True):
        low, high = int(signed(word & 0xFFFF, 16)), word >> 16
        w1, w3 = int(signed(word & 0xFF, 8)), int(signed(word >> 16 & 0xFF, 8))
        total += (x0 - 127) * low + (x2 - 127) * high
        total += (256 * x1 + 127 - x0) * w1 + (256 * x3 + 127 - x2) * w3
    return total


@pytest.mark.parametrize("seed", range(5))
def test_a_packed_sum_is_256_times_the_plain_one(seed):
    rng = np.random.default_rng(seed)
    weights = rng.choice(np.array([-127, -1, 0, 1, 127, 55], np.int8), (3, 8))
    inputs = rng.choice(np.array([-128, 127, 0, -1, 13], np.int64), 8)
    zero_point = int(rng.integers(-128, 128))
    bias = rng.integers(-(2**15), 2**15, 3)
    words = packed_words(weights, 1)[:, :, 0]
    folded = folded_bias(weights, bias, zero_point, 8)
    for channel in range(3):
        plain = int(((inputs - zero_point) * weights[channel]).sum()) + int(bias[channel])
        packed = packed_sum(inputs, words[channel]) + int(folded[channel])
        assert signed(packed, 32) == 256 * plain


def test_only_minus_128_before_a_negative_weight_does_not_fit():
    assert fits_packed_words(np.array([[-128, 0, -127, -128]], np.int8))
    assert not fits_packed_words(np.array([[0, 0, -128, -1]], np.int8))


def test_missing_filters_are_zeros():
    words = packed_words(np.ones((3, 4), np.int8), 2)
    assert words.shape == (2, 1, 2)
    assert words[1, 0, 1] == 0


def test_a_patch_takes_whole_words_of_its_rows_first_and_their_last_bytes_then():
    # 3x3 on RGB: rows of 9 bytes.
    order = patch_order((3, 3, 3), taps=3)
    assert order[:8].tolist() == list(range(8))
    assert order[8:16].tolist() == list(range(9, 17))
    assert order[24:].tolist() == [8, 17, 26, -1]
    weights = np.arange(27, dtype=np.int8)[None, :]
    assert in_order(weights, order)[0, 24:].tolist() == [8, 17, 26, 0]
