"""Short requantization: every sum in range gets exactly the reference's output."""

import numpy as np
import pytest

from tinyml_tool.compiler.fixed_point import requantize
from tinyml_tool.compiler.requantization_proof import (
    OutputRange,
    SumRange,
    first_sums,
    prove,
    prove_each,
)

GAIN = 8


def reference(sums, multiplier, shift, values):
    scaled = requantize(sums, int(multiplier), int(shift)) + values.zero_point
    return np.clip(scaled, values.low, values.high)


def short(sums, found, channel, values, gain=GAIN):
    product = (sums << gain) * int(found.factors[channel]) >> 32
    lifted = product + found.offsets[channel] + np.where(sums < 0, found.below[channel], 0)
    assert np.abs(lifted).max() < 2**31
    return np.clip(lifted >> found.shift, values.low, values.high)


def random_layer(seed):
    """Multipliers, shifts, sums and outputs such as networks have."""
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(1, 9))
    multipliers = rng.integers(2**30, 2**31, channels)
    shifts = -(int(rng.integers(2, 10)) + rng.integers(0, 3, channels))
    zero_point = int(rng.choice([-128, -128, rng.integers(-128, 128), 127]))
    low = -128 if rng.random() < 0.7 else min(zero_point, 120)
    high = 127 if rng.random() < 0.8 else int(rng.integers(low + 1, 128))
    reach = rng.uniform(20, 400, channels) * 2.0 ** (31 - shifts) / multipliers
    most = np.minimum(reach, 2**22).astype(np.int64)
    least = -np.minimum(reach * rng.uniform(0, 1.5), 2**22).astype(np.int64)
    return multipliers, shifts, SumRange(least, most), OutputRange(zero_point, low, high)


@pytest.mark.parametrize("seed", range(60))
def test_a_proven_short_form_equals_the_reference_for_every_sum(seed):
    multipliers, shifts, sums, values = random_layer(seed)
    found = prove(multipliers, shifts, sums, values, GAIN)
    if found is None:
        pytest.skip("not proven: the exact form is used")
    for channel in range(len(multipliers)):
        every = np.arange(sums.least[channel], sums.most[channel] + 1)
        wanted = reference(every, multipliers[channel], shifts[channel], values)
        assert np.array_equal(short(every, found, channel, values), wanted)


def test_most_layers_are_proven():
    proven = sum(prove(*random_layer(seed), GAIN) is not None for seed in range(60))
    assert proven >= 45


def random_unlike_channels(seed):
    """Channels whose factors lie anywhere from 2**-20 to 2, some with few sums or none."""
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(1, 9))
    multipliers = rng.integers(2**30, 2**31, channels)
    shifts = -rng.integers(-1, 21, channels)
    _, _, _, values = random_layer(seed)
    reach = rng.choice([0, 3, 300, 40_000, 2**18, 2**20], channels)
    middle = rng.integers(-(2**20), 2**20, channels)
    return multipliers, shifts, SumRange(middle - reach, middle + reach), values


def assert_each_equals_the_reference(layer, found):
    multipliers, shifts, sums, values = layer
    for channel, shift in enumerate(found.shifts):
        every = np.arange(sums.least[channel], sums.most[channel] + 1)
        wanted = reference(every, multipliers[channel], shifts[channel], values)
        assert 1 <= shift <= 20
        assert found.constant[channel] == (wanted[0] == wanted[-1])
        if found.constant[channel]:
            every, wanted = np.zeros(1, np.int64), wanted[:1]  # without weights and bias
        lifted = ((every << GAIN) * int(found.factors[channel]) >> 32) + found.offsets[channel]
        lifted += np.where(every < 0, found.below[channel], 0)
        assert np.abs(lifted).max() < 2**31
        assert np.array_equal(np.clip(lifted >> shift, values.low, values.high), wanted)


@pytest.mark.parametrize("seed", range(60))
def test_channels_proven_each_by_itself_equal_the_reference_for_every_sum(seed):
    for layer in (random_layer(seed), random_unlike_channels(seed)):
        found = prove_each(*layer, GAIN)
        if found is not None:
            assert_each_equals_the_reference(layer, found)


def test_channels_that_no_shift_of_all_suits_are_proven_each_by_itself():
    layers = [random_unlike_channels(seed) for seed in range(60)]
    together = sum(prove(*layer, GAIN) is not None for layer in layers)
    each = sum(prove_each(*layer, GAIN) is not None for layer in layers)
    assert together <= 30
    assert each >= 55


def test_a_layer_of_channels_that_never_change_is_proven():
    sums = SumRange(np.array([10**6, 0]), np.array([10**6 + 5, 0]))
    layer = (np.array([2**30, 2**30]), np.array([-3, -9]), sums, OutputRange(7, -128, 127))
    found = prove_each(*layer, GAIN)
    assert found.constant.all()
    assert (found.offsets >> found.shifts).tolist() == [127, 7]
    assert not found.factors.any()


def proven_without_bias(seed):
    """A layer whose kernel adds no bias, the biases, and the most precise short form."""
    multipliers, shifts, sums, values = random_layer(seed)
    bias = np.random.default_rng(seed).integers(-(2**16), 2**16, len(multipliers))
    forms = (
        (prove(multipliers, shifts, sums, values, gain, left_out=bias), gain)
        for gain in (14, 12, 10, 8)
    )
    found, gain = next(((form, gain) for form, gain in forms if form), (None, 0))
    return (multipliers, shifts, sums, values), bias, found, gain


def test_most_layers_without_a_bias_are_proven():
    """Those that are not are skipped below."""
    assert sum(proven_without_bias(seed)[2] is not None for seed in range(60)) >= 45


@pytest.mark.parametrize("seed", range(60))
def test_offsets_that_stand_for_the_bias_equal_the_reference_for_every_sum(seed):
    (multipliers, shifts, sums, values), bias, found, gain = proven_without_bias(seed)
    if found is None:
        pytest.skip("not proven: another form is used")
    assert not found.rounds_by_sign
    for channel in range(len(multipliers)):
        every = np.arange(sums.least[channel], sums.most[channel] + 1)
        wanted = reference(every, multipliers[channel], shifts[channel], values)
        made = short(every - bias[channel], found, channel, values, gain)
        assert np.array_equal(made, wanted)


def test_most_layers_with_a_relu_are_proven_without_their_bias():
    fused = [seed for seed in range(60) if random_layer(seed)[3].zero_point == -128]
    proven = sum(proven_without_bias(seed)[2] is not None for seed in fused)
    assert len(fused) >= 25
    assert proven >= len(fused) - 3


@pytest.mark.parametrize("zero_point", [-128, 0, 127])
@pytest.mark.parametrize("shift", [-12, -7, -1, 0, 3])
def test_first_sums_are_where_the_reference_steps(shift, zero_point):
    multiplier, values = 1_234_567_891, OutputRange(zero_point, -128, 127)
    first = first_sums(np.array([multiplier]), np.array([shift]), values)[0]
    assert np.array_equal(
        reference(first, multiplier, shift, values) >= np.arange(-127, 128), np.ones(255, bool)
    )
    assert (reference(first - 1, multiplier, shift, values) < np.arange(-127, 128)).all()


def test_negative_ties_need_a_constant_of_their_own():
    # Without a fused ReLU, halves go away from zero on both sides.
    values = OutputRange(0, -128, 127)
    sums = SumRange(np.array([-40_000]), np.array([40_000]))
    found = prove(np.array([2**30 + 2**29]), np.array([-7]), sums, values, GAIN)
    assert found is not None
    assert found.rounds_by_sign
    every = np.arange(-40_000, 40_001)
    wanted = reference(every, 2**30 + 2**29, -7, values)
    assert np.array_equal(short(every, found, 0, values), wanted)
    found.below[:] = 0
    assert not np.array_equal(short(every, found, 0, values), wanted)


def test_an_offset_beside_the_proven_ones_is_wrong_for_some_sum():
    multipliers, shifts = np.array([2**30 + 12_345]), np.array([-8])
    values = OutputRange(-128, -128, 127)
    sums = SumRange(np.array([-300_000]), np.array([300_000]))
    found = prove(multipliers, shifts, sums, values, GAIN)
    every = np.arange(-300_000, 300_001)
    wanted = reference(every, multipliers[0], shifts[0], values)
    assert np.array_equal(short(every, found, 0, values), wanted)
    found.offsets[:] += 1 << (GAIN - 1)
    assert not np.array_equal(short(every, found, 0, values), wanted)


def test_channels_that_always_answer_the_same_become_constants():
    # As dead channels have them: a bias of 2**30, and a factor that no other channel has.
    multipliers, shifts = np.array([2**30, 2**30 + 7]), np.array([-7, 0])
    values = OutputRange(-128, -128, 127)
    sums = SumRange(np.array([-90_000, 2**30]), np.array([90_000, 2**30]))
    found = prove(multipliers, shifts, sums, values, GAIN)
    assert found.constant.tolist() == [False, True]
    assert (found.factors[1], found.offsets[1] >> found.shift) == (0, 127)


@pytest.mark.parametrize(
    ("least", "most", "gain"),
    [(-(2**23) - 1, 0, 8), (0, 2**23, 8), (0, 2**31, 1)],
)
def test_sums_that_may_overflow_are_never_proven(least, most, gain):
    sums = SumRange(np.array([least]), np.array([most]))
    values = OutputRange(0, -128, 127)
    assert prove(np.array([2**30]), np.array([-16]), sums, values, gain) is None


def test_the_limits_of_24_bits_are_proven():
    sums = SumRange(np.array([-(2**23)]), np.array([2**23 - 1]))
    values = OutputRange(-128, -128, 127)
    found = prove(np.array([2**30]), np.array([-13]), sums, values, GAIN)
    assert found is not None
    ends = np.array([-(2**23), -(2**23) + 1, -1, 0, 1, 2**23 - 2, 2**23 - 1])
    assert np.array_equal(short(ends, found, 0, values), reference(ends, 2**30, -13, values))
