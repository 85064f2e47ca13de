"""Random layers on an emulated Cortex-M55: there vectors are real, and loops are assembly."""

import pytest
from hypothesis import given
from operator_strategies import many, model_of, sweep
from test_convolution import add_convolution
from test_dsp_kernels_on_cores import assert_bit_exact_on
from test_fully_connected import add_fully_connected, fully_connected_layers
from test_mve_kernels import wide_convolutions, wide_depthwise


@sweep(1)
@given(many(wide_convolutions() | wide_depthwise()))
def test_convolutions_are_bit_exact_on_a_cortex_m55(cases):
    assert_bit_exact_on("qemu-m55", model_of(cases, add_convolution))


@sweep(1)
@given(many(fully_connected_layers()))
def test_fully_connected_layers_are_bit_exact_on_a_cortex_m55(cases):
    assert_bit_exact_on("qemu-m55", model_of(cases, add_fully_connected))


@pytest.mark.slow
@sweep(25)
@given(many(wide_convolutions() | wide_depthwise()))
def test_hundreds_of_convolutions_are_bit_exact_on_a_cortex_m55(cases):
    assert_bit_exact_on("qemu-m55", model_of(cases, add_convolution))
