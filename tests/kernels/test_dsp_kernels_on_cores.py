"""Random layers on emulated cores: there the kernels' loops are assembly."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from kernel_case import compile_model
from operator_strategies import many, model_of, sweep
from test_convolution import add_convolution, convolutions
from test_dsp_kernels import dense_convolutions, depthwise_3x3, kernels_of, unlike_outputs
from test_fully_connected import add_fully_connected, fully_connected_layers

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.config import Optimize

M0PLUS = str(Path(__file__).parents[2] / "benchmarks" / "qemu-m0plus.toml")
LAYERS = many(depthwise_3x3() | dense_convolutions())


def assert_bit_exact_on(board: str, model: bytes, optimize: Optimize = "balanced") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layers.tflite"
        path.write_bytes(model)
        evidence = tt.deploy(
            path, board=board, optimize=optimize, output=Path(folder) / "project", vectors=4
        )
    assert evidence.parity.vectors == 4
    assert evidence.parity.values_different == 0, evidence.parity.first_difference


@sweep(1)
@given(LAYERS)
def test_layers_are_bit_exact_on_a_cortex_m4(cases):
    model = model_of(cases, add_convolution)
    assert {"conv_2d_s8_patches", "depthwise_conv_2d_s8_planes"} & set(kernels_of(model))
    assert_bit_exact_on("qemu-m4", model)


@sweep(1)
@given(many(fully_connected_layers()))
def test_fully_connected_layers_are_bit_exact_on_a_cortex_m4(cases):
    model = model_of(cases, add_fully_connected)
    assert "fully_connected_s8_packed" in kernels_of(model)
    assert_bit_exact_on("qemu-m4", model)


@pytest.mark.parametrize(
    ("board", "kernel"),
    [
        ("qemu-m4", "fully_connected_s8_packed"),
        ("qemu-m33", "fully_connected_s8_packed"),
        ("qemu-m3", "fully_connected_s8_lanes"),
        (M0PLUS, "fully_connected_s8_bytes"),
        ("qemu-m0", "fully_connected_s8_bytes"),
        pytest.param("qemu-m7", "fully_connected_s8_packed", marks=pytest.mark.slow),
    ],
)
def test_outputs_with_constants_of_their_own_are_bit_exact(board, kernel):
    model = unlike_outputs()
    (layer,) = compile_model(model, load_board(board).core).layers
    assert layer.call.kernel == kernel
    assert "constants by output" in layer.call.reason
    assert_bit_exact_on(board, model)


@pytest.mark.slow
@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m33", "qemu-m3", M0PLUS])
@sweep(2)
@given(cases=many(fully_connected_layers(per_channel=(True,))))
def test_fully_connected_layers_with_scales_by_output_are_bit_exact(board, cases):
    assert_bit_exact_on(board, model_of(cases, add_fully_connected))


@pytest.mark.slow
@pytest.mark.parametrize("board", ["qemu-m7", "qemu-m33", "qemu-m55", "netduinoplus2"])
@sweep(2)
@given(cases=LAYERS)
def test_layers_are_bit_exact_on_every_core_with_dsp_instructions(board, cases):
    assert_bit_exact_on(board, model_of(cases, add_convolution))


@pytest.mark.parametrize("board", ["qemu-m3", M0PLUS], ids=["cortex-m3", "cortex-m0plus"])
@sweep(1)
@given(cases=LAYERS)
def test_layers_are_bit_exact_on_cores_without_dsp_instructions(board, cases):
    model = model_of(cases, add_convolution)
    core = load_board(board).core
    assert {"conv_2d_s8_lanes", "depthwise_conv_2d_s8_lanes"} & set(kernels_of(model, core))
    assert_bit_exact_on(board, model)


@pytest.mark.slow
@pytest.mark.parametrize("board", ["qemu-m3"])
@sweep(1)
@given(cases=many(convolutions("CONV_2D") | convolutions("DEPTHWISE_CONV_2D")))
def test_layers_of_any_shape_are_bit_exact_on_a_core_without_dsp_instructions(board, cases):
    assert_bit_exact_on(board, model_of(cases, add_convolution))
