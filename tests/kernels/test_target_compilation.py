"""The kernels compile for the cores without a warning, and need no C library."""

import shutil
import subprocess

import numpy as np
import pytest
from kernel_case import compile_model
from model_builder import ModelBuilder

from tinyml_tool.boards import Core
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.resources import data_folder
from tinyml_tool.toolchain.host import WARNINGS

CORES = [
    Core(name="cortex-m0"),
    Core(name="cortex-m4", fpu="single", dsp=True),
    Core(name="cortex-m55", fpu="double", dsp=True, mve=True),
]
KERNELS = sorted(path.name for path in data_folder("firmware_templates").glob("kernels/*.h"))

pytestmark = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed"
)


def compile_for(core, directory, source, *flags):
    """Compile a C file to an object; GCC's messages are the failure."""
    command = ["arm-none-eabi-gcc", "-std=c11", *core.gcc_flags, *WARNINGS, "-Werror", *flags]
    result = subprocess.run(
        [*command, "-c", source, "-o", "out.o"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return directory / "out.o"


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_stands_alone_without_warnings(kernel, core, tmp_path):
    (tmp_path / "alone.c").write_text(f'#include "{kernel}"\nextern int alone;\n')
    folder = data_folder("firmware_templates") / "kernels"
    compile_for(core, tmp_path, "alone.c", "-O0", f"-I{folder}")


def model_of_every_family() -> bytes:
    """Convolutions, pooling, arithmetic, a mean and a dense layer in a row."""
    builder = ModelBuilder()
    affine = {"scale": 0.1, "zero_point": 3}
    ones = {"scale": 0.1, "zero_point": 0}
    image = builder.input("int8", (1, 8, 8, 3), **affine)
    window = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
    weights = builder.constant(np.ones((4, 3, 3, 3)), "int8", **ones)
    x = builder.operator(
        "CONV_2D", [image, weights], builder.tensor("int8", (1, 8, 8, 4), **affine), **window
    )
    weights = builder.constant(np.ones((1, 3, 3, 4)), "int8", **ones)
    x = builder.operator(
        "DEPTHWISE_CONV_2D",
        [x, weights],
        builder.tensor("int8", (1, 8, 8, 4), **affine),
        depth_multiplier=1,
        **window,
    )
    for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        target = builder.tensor("int8", (1, 8, 8, 4), **affine)
        x = builder.operator(kind, [x], target, filter_height=2, filter_width=2, **window)
    for kind in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"):
        y = builder.constant(np.arange(4), "int8", **affine)
        x = builder.operator(kind, [x, y], builder.tensor("int8", (1, 8, 8, 4), **affine))
    axes = builder.constant([1, 2], "int32")
    x = builder.operator("MEAN", [x, axes], builder.tensor("int8", (1, 4), **affine))
    weights = builder.constant(np.ones((10, 4)), "int8", **ones)
    x = builder.operator("FULLY_CONNECTED", [x, weights], builder.tensor("int8", (1, 10), **affine))
    return builder.build([x])


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_kernels_call_nothing_of_the_c_library_but_memcpy_and_memset(core, tmp_path):
    for name, text in model_sources(compile_model(model_of_every_family(), core)).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    flags = ("-O2", "-Ilib/model", "-Ilib/kernels")
    compiled = compile_for(core, tmp_path, "lib/model/model.c", *flags)
    listing = subprocess.run(
        ["arm-none-eabi-nm", "-u", compiled], capture_output=True, text=True, check=True
    )
    needed = {line.split()[-1] for line in listing.stdout.splitlines()}
    # What GCC itself puts in place of an instruction that the core does not have.
    of_the_compiler = {name for name in needed if name.startswith(("__aeabi_", "__gnu_thumb1_"))}
    assert needed - of_the_compiler <= {"memcpy", "memset"}
