"""Loops in assembly compile with every optimisation, and C takes their place where they may not."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from kernel_case import compile_model
from model_builder import ModelBuilder
from shared import shared_model
from test_target_compilation import compile_for

import tinyml_tool as tt
from tinyml_tool.boards import Core
from tinyml_tool.config import Optimize
from tinyml_tool.errors import BuildError
from tinyml_tool.firmware.model_sources import model_sources

M4 = Core(name="cortex-m4", fpu="single", dsp=True)
CORES = [
    Core(name="cortex-m0"),
    Core(name="cortex-m3"),
    M4,
    Core(name="cortex-m7", fpu="double", dsp=True),
    Core(name="cortex-m33", fpu="single", dsp=True),
    Core(name="cortex-m55", fpu="double", dsp=True, mve=True),
]
PRESETS = get_args(Optimize)
OPTIMIZED = ("-Og", "-O1", "-O2", "-O3", "-Os")
KEEPS_FRAME = "-fno-omit-frame-pointer"
IN_C = "-DTINYML_DSP_ASSEMBLY=0"
KERNELS = {"conv_2d_s8_patches", "depthwise_conv_2d_s8_planes", "fully_connected_s8_packed"}
OFFICIAL = ("kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "ad01_int8")


def model_of_loops() -> bytes:
    """A layer for each loop in assembly: patches short and signed, planes by 1 and 2, packed
    with the same constants for all outputs, and with constants by output."""
    rng = np.random.default_rng(1)
    builder = ModelBuilder()
    x = builder.input("int8", (1, 10, 6, 6), scale=0.5, zero_point=-128)

    def layer(kind, x, shape, weights_shape, *, relu=True, **options):
        channels = shape[-1]
        axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
        weights = builder.constant(
            rng.integers(-127, 128, weights_shape), "int8", scale=[0.01] * channels, axis=axis
        )
        bias = builder.constant(rng.integers(-999, 999, channels), "int32", scale=0.005)
        target = builder.tensor("int8", shape, scale=0.5, zero_point=-128 if relu else 3)
        if relu:
            options["fused_activation_function"] = "RELU"
        return builder.operator(kind, [x, weights, bias], target, padding="SAME", **options)

    one = {"stride_h": 1, "stride_w": 1}
    two = {"stride_h": 2, "stride_w": 2}
    x = layer("CONV_2D", x, (1, 10, 6, 5), (5, 3, 3, 6), relu=False, **one)
    x = layer("CONV_2D", x, (1, 10, 6, 16), (16, 1, 1, 5), **one)
    x = layer("DEPTHWISE_CONV_2D", x, (1, 10, 6, 16), (1, 3, 3, 16), depth_multiplier=1, **one)
    x = layer("DEPTHWISE_CONV_2D", x, (1, 5, 3, 16), (1, 3, 3, 16), depth_multiplier=1, **two)
    flat = builder.operator(
        "RESHAPE",
        [x, builder.constant((1, 240), "int32")],
        builder.tensor("int8", (1, 240), scale=0.5, zero_point=-128),
        new_shape=[1, 240],
    )
    weights = builder.constant(rng.integers(-127, 128, (5, 240)), "int8", scale=0.01)
    target = builder.tensor("int8", (1, 5), scale=1.0, zero_point=3)
    x = builder.operator("FULLY_CONNECTED", [flat, weights], target)
    weights = builder.constant(
        rng.integers(-127, 128, (3, 5)), "int8", scale=[0.01, 0.02, 0.03], axis=0
    )
    target = builder.tensor("int8", (1, 3), scale=1.0, zero_point=3)
    return builder.build([builder.operator("FULLY_CONNECTED", [x, weights], target)])


def write_sources(model: bytes, core: Core, optimize: Optimize, folder: Path) -> None:
    for name, text in model_sources(compile_model(model, core, optimize)).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def compile_sources(core: Core, folder: Path, *flags: str) -> None:
    compile_for(core, folder, "lib/model/model.c", *flags, "-Ilib/model", "-Ilib/kernels")


def test_the_model_has_every_loop():
    plan = compile_model(model_of_loops(), M4)
    assert {layer.call.kernel for layer in plan.layers if layer.call} == KERNELS
    params = [dict(layer.call.params) for layer in plan.layers if layer.call]
    modes = {p["requantization"] for p in params if "requantization" in p}
    assert modes == {0, 1}
    assert {p["stride"] for p in params if "stride" in p} == {1, 2}


@pytest.mark.parametrize("core", CORES[:3], ids=lambda core: core.name)
@pytest.mark.parametrize("optimize", PRESETS)
def test_every_preset_compiles_with_every_optimization(optimize, core, tmp_path):
    write_sources(model_of_loops(), core, optimize, tmp_path)
    for flag in OPTIMIZED:
        compile_sources(core, tmp_path, flag)
        compile_sources(core, tmp_path, flag, KEEPS_FRAME, IN_C)


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
@pytest.mark.parametrize("model", OFFICIAL)
def test_official_models_compile_for_every_core_with_every_optimization(model, core, tmp_path):
    for optimize in PRESETS:
        write_sources(shared_model(f"{model}.tflite").read_bytes(), core, optimize, tmp_path)
        for flag in ("-O0", *OPTIMIZED):
            compile_sources(core, tmp_path, flag)
            compile_sources(core, tmp_path, flag, KEEPS_FRAME, IN_C)


def generated_project(folder: Path, board: str) -> Path:
    (folder / "loops.tflite").write_bytes(model_of_loops())
    tt.generate(folder / "loops.tflite", board=board, output=folder / "project")
    return folder / "project"


def add_flags(project: Path, *flags: str) -> None:
    """What a user does who needs other flags."""
    ini = project / "platformio.ini"
    text = ini.read_text()
    assert "\nbuild_flags =" in text
    ini.write_text(text.replace("\nbuild_flags =", f"\nbuild_flags = {' '.join(flags)}", 1))


@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m3", "qemu-m0"])
def test_c_in_place_of_assembly_is_bit_exact_where_a_frame_pointer_is_kept(board, tmp_path):
    project = generated_project(tmp_path, board)
    fast = tt.validate(project, vectors=10)
    add_flags(project, KEEPS_FRAME, IN_C)
    slow = tt.validate(project, vectors=10)
    assert (slow.parity.vectors, slow.parity.values_different) == (10, 0)
    assert fast.parity.values_different == 0
    assert slow.instructions_per_inference > fast.instructions_per_inference


def test_a_build_that_keeps_the_frame_pointer_is_told_what_to_define(tmp_path):
    project = generated_project(tmp_path, "qemu-m55")  # its loops take every register
    add_flags(project, KEEPS_FRAME)
    with pytest.raises(BuildError) as caught:
        tt.build(project)
    assert "no register left" in caught.value.message
    assert "TINYML_DSP_ASSEMBLY=0" in (caught.value.hint or "")
