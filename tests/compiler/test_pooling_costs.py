"""AVERAGE_POOL_2D takes the body that was measured to be shorter for its window."""

import pytest
from kernel_case import assert_bit_exact_on_random_inputs, compile_model
from model_builder import ModelBuilder

from tinyml_tool.boards import Core

CORES = [
    Core(name="cortex-m4", fpu="single", dsp=True),
    Core(name="cortex-m33", fpu="single", dsp=True),
    Core(name="cortex-m55", fpu="double", dsp=True, mve=True),
]


def pooling(window, channels=8):
    builder = ModelBuilder()
    height, width = window
    source = builder.input("int8", (1, 2 * height, 2 * width, channels), scale=0.5, zero_point=3)
    target = builder.tensor("int8", (1, 2, 2, channels), scale=0.5, zero_point=3)
    builder.operator(
        "AVERAGE_POOL_2D",
        [source],
        target,
        padding="VALID",
        stride_h=height,
        stride_w=width,
        filter_height=height,
        filter_width=width,
    )
    return builder.build([target])


def call_of(model, core):
    return compile_model(model, core).layers[0].call


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
@pytest.mark.parametrize(
    ("window", "fours"), [((1, 1), 0), ((2, 2), 0), ((3, 3), 1), ((25, 5), 1), ((16, 16), 0)]
)
def test_small_windows_go_channel_by_channel(core, window, fours):
    call = call_of(pooling(window), core)
    assert dict(call.params)["by_fours"] == fours
    assert_bit_exact_on_random_inputs(pooling(window), core=core)


def test_the_reason_tells_both_estimates():
    assert call_of(pooling((2, 2)), CORES[0]).reason == (
        "one channel at a time: 81 instructions for 4 channels of an output, not 93 (cost model)"
    )


def test_a_core_without_dsp_instructions_has_no_choice():
    call = call_of(pooling((3, 3)), Core(name="cortex-m3"))
    assert dict(call.params)["by_fours"] == 0
    assert call.reason == "one channel at a time"
