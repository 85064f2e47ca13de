"""What tests of engine tflm share: models, plans, projects, and the user's TFLM if there is one."""

from __future__ import annotations

import os
import re
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from model_builder import ModelBuilder
from shared import shared_model

from tinyml_tool.boards import load_board
from tinyml_tool.compiler.tflm_plan import TflmPlan, plan_for_tflm
from tinyml_tool.compiler.tflm_release import release_for
from tinyml_tool.errors import ToolMissingError
from tinyml_tool.firmware.project import project_files
from tinyml_tool.firmware.tflm_sources import tflm_sources
from tinyml_tool.graph import parse_model
from tinyml_tool.toolchain.tflm_directory import VARIABLE, check_directory

SHARED = (
    "ad01_int8.tflite",
    "hello_world_int8.tflite",
    "kws_ref_model.tflite",
    "person_detect.tflite",
    "pretrainedResnet_quant.tflite",
    "vww_96_int8.tflite",
)


def plan_of(model: bytes, name: str = "m", arena: int = 4096, board: str = "qemu-m4") -> TflmPlan:
    return plan_for_tflm(parse_model(model, name), model, arena, release_for(load_board(board)))


def sources_of(model: bytes, name: str = "m", board: str = "qemu-m4") -> dict[str, str]:
    return tflm_sources(plan_of(model, name, board=board), load_board(board))


def files_of(model: bytes, board: str = "qemu-m4") -> dict[str, bytes]:
    return project_files(plan_of(model, board=board), load_board(board), name="m", model=model)


def added_operators(text: str) -> dict[str, str | None]:
    """What model_tflm.cpp registers: method of the resolver to specialised registration."""
    calls = re.findall(r"resolver\.(\w+)\((?:tflite::(\w+)\(\))?\) == kTfLiteOk", text)
    return {method: special or None for method, special in calls}


def relu(dtype: str = "int8") -> bytes:
    builder = ModelBuilder()
    scale = None if dtype == "float32" else 0.5
    x = builder.input(dtype, (1, 4), scale=scale, name="x")
    builder.operator("RELU", [x], y := builder.tensor(dtype, (1, 4), scale=scale, name="y"))
    return builder.build([y])


def int16x8() -> bytes:
    """Convolution and fully connected layer: 16-bit activations, 8-bit weights, 64-bit biases."""
    random = np.random.default_rng(1)
    builder = ModelBuilder()
    x = builder.input("int16", (1, 8, 8, 3), scale=0.001)
    filters = random.integers(-127, 128, (8, 3, 3, 3)).astype(np.int8)
    weights = builder.constant(filters, scale=[0.01] * 8, zero_point=0, axis=0)
    bias = builder.constant(random.integers(-9999, 9999, 8), "int64", scale=[1e-5] * 8, axis=0)
    y = builder.tensor("int16", (1, 4, 4, 8), scale=0.002)
    builder.operator(
        "CONV_2D",
        [x, weights, bias],
        y,
        padding="SAME",
        stride_w=2,
        stride_h=2,
        dilation_w_factor=1,
        dilation_h_factor=1,
    )
    dense = random.integers(-127, 128, (5, 128)).astype(np.int8)
    weights = builder.constant(dense, scale=0.01)
    bias = builder.constant(random.integers(-9999, 9999, 5), "int64", scale=2e-5)
    z = builder.tensor("int16", (1, 5), scale=0.01)
    builder.operator("FULLY_CONNECTED", [y, weights, bias], z)
    return builder.build([z])


def float_kws(*, spoilt: bool = False) -> bytes:
    """The shared float model with the weights as floats that its file has as int8.

    `spoilt`: every thousandth of them is a hundredth too large.
    """
    model = schema.ModelT.InitFromPackedBuf(
        shared_model("kws_ref_model_float32.tflite").read_bytes(), 0
    )
    for tensor in model.subgraphs[0].tensors:
        buffer = model.buffers[tensor.buffer]
        if tensor.type != schema.TensorType.INT8 or buffer.data is None:
            continue
        stored = np.frombuffer(bytes(buffer.data), np.int8).reshape(tensor.shape)
        scale = np.array(tensor.quantization.scale, np.float32)
        along = [1] * stored.ndim
        along[tensor.quantization.quantizedDimension] = -1
        values = stored.astype(np.float32) * scale.reshape(along if scale.size > 1 else ())
        if spoilt:
            values.reshape(-1)[::1000] *= 1.01
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def real_tflm(board: str = "qemu-m4") -> Path:
    """The directory that TINYML_TFLM_DIR names.  Skips the test where it is of no use."""
    place = os.environ.get(VARIABLE)
    if not place:
        pytest.skip(f"no TensorFlow Lite Micro: set {VARIABLE}, as docs/tflm.md tells")
    try:
        directory = check_directory(Path(place), load_board(board).core)
    except ToolMissingError as error:
        pytest.skip(f"{VARIABLE} is of no use for {board}: {error.message}")
    if not directory.has_messages:
        pytest.skip(f"{VARIABLE}: {directory.library.path} cannot tell of layers (release build)")
    return directory.path
