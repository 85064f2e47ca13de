"""Activations, conversions and data movement compile for the cores and need no C library."""

import shutil
import subprocess

import pytest
from kernel_case import compile_model
from model_builder import ModelBuilder

from tinyml_tool.boards import Core
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.toolchain.host import WARNINGS

pytestmark = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed"
)

AFFINE = {"scale": 0.1, "zero_point": 3}
WIDE = {"scale": 0.001, "zero_point": 0}
PROBABILITY = {"scale": 1 / 256, "zero_point": -128}


def model_of_every_operator() -> bytes:
    """Every operator that computes by a table, converts a type, or moves data."""
    builder = ModelBuilder()

    def image(dtype="int8", shape=(1, 4, 4, 2), **affine):
        return builder.tensor(dtype, shape, **(affine or AFFINE))

    def integers(values):
        return builder.constant(values, "int32")

    x = builder.operator("QUANTIZE", [builder.input("float32", (1, 4, 4, 2))], image())
    for kind in ("RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "TANH"):
        options = {"alpha": 0.1} if kind == "LEAKY_RELU" else {}
        x = builder.operator(kind, [x], image(scale=0.05, zero_point=-4), **options)
    x = builder.operator("LOGISTIC", [x], image(**PROBABILITY))
    padded = image(shape=(1, 6, 6, 2))
    x = builder.operator("PAD", [x, integers([[0, 0], [1, 1], [1, 1], [0, 0]])], padded)
    begin, end, strides = (integers(v) for v in ([0, 5, 1, 0], [1, 0, 5, 2], [1, -2, 2, 1]))
    x = builder.operator("STRIDED_SLICE", [x, begin, end, strides], image(shape=(1, 3, 2, 2)))
    x = builder.operator("TRANSPOSE", [x, integers([0, 2, 1, 3])], image(shape=(1, 2, 3, 2)))
    halves = [image(shape=(1, 1, 3, 2)) for _ in range(2)]
    builder.operator("SPLIT", [integers(1), x], halves, num_splits=2)
    joined = image(shape=(1, 1, 3, 4))
    x = builder.operator("CONCATENATION", halves, joined, axis=3)
    resized = image(shape=(1, 2, 6, 4))
    x = builder.operator("RESIZE_NEAREST_NEIGHBOR", [x, integers([2, 6])], resized)
    wide = builder.operator("QUANTIZE", [x], image("int16", (1, 2, 6, 4), **WIDE))
    flat = builder.operator(
        "PADV2",
        [wide, integers([[0, 0]] * 4), builder.constant([5], "int16")],
        image("int16", (1, 2, 6, 4), **WIDE),
    )
    outputs = [builder.operator("DEQUANTIZE", [flat], image("float32", (1, 2, 6, 4)))]
    likely = builder.operator("SOFTMAX", [x], image(shape=(1, 2, 6, 4), **PROBABILITY), beta=1.0)
    outputs.append(builder.operator("ARG_MAX", [likely, integers(3)], image("int32", (1, 2, 6))))
    return builder.build(outputs)


@pytest.mark.parametrize(
    "core",
    [
        Core(name="cortex-m0"),
        Core(name="cortex-m4", fpu="single", dsp=True),
        Core(name="cortex-m55", fpu="double", dsp=True, mve=True),
    ],
    ids=lambda core: core.name,
)
@pytest.mark.parametrize("optimisation", ["-O0", "-Os", "-O2"])
def test_nothing_of_the_c_library_is_needed_but_memcpy_and_memset(core, optimisation, tmp_path):
    for name, text in model_sources(compile_model(model_of_every_operator(), core)).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = ["arm-none-eabi-gcc", "-std=c11", *core.gcc_flags, *WARNINGS, "-Werror"]
    command += [optimisation, "-ffp-contract=off", "-Ilib/model", "-Ilib/kernels"]
    result = subprocess.run(
        [*command, "-c", "lib/model/model.c", "-o", "model.o"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    listing = subprocess.run(
        ["arm-none-eabi-nm", "-u", "model.o"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    needed = {line.split()[-1] for line in listing.stdout.splitlines()}
    # What GCC itself puts in place of an instruction that the core does not have.
    of_the_compiler = {name for name in needed if name.startswith(("__aeabi_", "__gnu_thumb1_"))}
    assert needed - of_the_compiler <= {"memcpy", "memset"}
