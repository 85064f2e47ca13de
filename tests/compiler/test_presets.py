"""What `--optimize` changes: inner loops, scratch, and nothing of the answers."""

import numpy as np
import pytest
from kernel_case import assert_bit_exact_on_random_inputs, compile_model
from model_builder import ModelBuilder

from tinyml_tool.firmware.model_sources import model_sources


def two_layers() -> bytes:
    """A depthwise 3x3 whose planes do not fit 2 KB, and a 1x1."""
    builder = ModelBuilder()
    rng = np.random.default_rng(1)
    shape = (1, 40, 40, 8)
    x = builder.input("int8", shape, scale=0.5, zero_point=3)
    window = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
    weights = builder.constant(rng.integers(-127, 128, (1, 3, 3, 8)), "int8", scale=0.01)
    y = builder.tensor("int8", shape, scale=2.0, zero_point=-9)
    x = builder.operator("DEPTHWISE_CONV_2D", [x, weights], y, depth_multiplier=1, **window)
    weights = builder.constant(rng.integers(-127, 128, (5, 1, 1, 8)), "int8", scale=0.01)
    y = builder.tensor("int8", (1, 40, 40, 5), scale=6.0, zero_point=1)
    return builder.build([builder.operator("CONV_2D", [x, weights], y, **window)])


@pytest.mark.parametrize("optimize", ["size", "balanced", "speed"])
def test_the_answers_are_the_same_with_every_preset(optimize):
    assert_bit_exact_on_random_inputs(two_layers(), optimize=optimize, sanitize=True)


def test_speed_takes_more_scratch_than_size():
    def scratch(optimize):
        return compile_model(two_layers(), optimize=optimize).layers[0].call.scratch_bytes

    assert scratch("size") < scratch("balanced") < scratch("speed") <= 16 * 1024


@pytest.mark.parametrize(
    ("optimize", "define"),
    [("size", "#define TINYML_UNROLL 1\n"), ("speed", "#define TINYML_UNROLL 8\n")],
)
def test_the_generated_model_says_how_loops_are_unrolled(optimize, define):
    assert (
        define in model_sources(compile_model(two_layers(), optimize=optimize))["lib/model/model.c"]
    )


def test_balanced_loops_are_the_kernels_default():
    assert "TINYML_UNROLL" not in model_sources(compile_model(two_layers()))["lib/model/model.c"]
