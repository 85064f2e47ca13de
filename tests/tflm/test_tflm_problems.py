"""What engine tflm says of models it cannot run, compared with what TFLM itself says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_directory import make_directory, make_library
from model_builder import ModelBuilder
from shared import shared_model
from tflm_case import plan_of, relu

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.compiler.tflm_operators import TFLM_OPERATORS
from tinyml_tool.compiler.tflm_plan import tflm_problems
from tinyml_tool.compiler.tflm_release import release_for
from tinyml_tool.errors import InvalidModelError, UnsupportedModelError
from tinyml_tool.firmware.tflm_core import LIBRARY, tflm_core_name
from tinyml_tool.graph import parse_model
from tinyml_tool.reference.tflm import TflmReference

TYPES = ("float32", "int8", "int16", "int32", "int64", "bool", "uint8")
ONE_INPUT = (
    "ABS",
    "CEIL",
    "COS",
    "ELU",
    "EXP",
    "FLOOR",
    "HARD_SWISH",
    "LOG",
    "LOGICAL_NOT",
    "LOGISTIC",
    "LOG_SOFTMAX",
    "NEG",
    "RELU",
    "RELU6",
    "ROUND",
    "RSQRT",
    "SIN",
    "SQRT",
    "SQUARE",
    "TANH",
    "ZEROS_LIKE",
)
TWO_INPUTS = (
    "ADD",
    "DIV",
    "FLOOR_DIV",
    "FLOOR_MOD",
    "MAXIMUM",
    "MINIMUM",
    "MUL",
    "SUB",
)
BOOLEAN = ("EQUAL", "GREATER", "LESS_EQUAL")


def scale_of(kind: str, dtype: str) -> tuple[float | None, int]:
    """A quantization that the operator takes, so that only the type decides."""
    if dtype not in ("int8", "int16", "uint8"):
        return None, 0
    if kind == "LOGISTIC":
        return (1 / 256, -128) if dtype == "int8" else (1 / 32768, 0)
    if kind == "TANH":
        return (1 / 128, 0) if dtype == "int8" else (1 / 32768, 0)
    if kind == "LOG_SOFTMAX":
        return 16 / 256, 127
    return 0.5, 0


def one_operator(kind: str, dtype: str, inputs: int) -> bytes:
    builder = ModelBuilder()
    scale = None if dtype not in ("int8", "int16", "uint8") else 0.5
    lowest = -128 if dtype == "int8" and kind == "RSQRT" else 0  # it fails on what is not positive
    sources = [builder.input(dtype, (1, 4), scale=scale, zero_point=lowest) for _ in range(inputs)]
    result = "bool" if kind in BOOLEAN else dtype
    target_scale, zero_point = scale_of(kind, result)
    target = builder.tensor(result, (1, 4), scale=target_scale, zero_point=zero_point)
    builder.operator(kind, sources, target)
    return builder.build([target])


def runs_in_tflm(model: bytes) -> bool:
    try:
        TflmReference(model, "m")
    except (UnsupportedModelError, InvalidModelError):
        return False
    return True


@pytest.mark.parametrize("kind", (*ONE_INPUT, *TWO_INPUTS, *BOOLEAN))
def test_the_types_of_an_operator_are_those_that_tflm_takes(kind: str) -> None:
    inputs = 1 if kind in ONE_INPUT else 2
    taken = {t for t in TYPES if runs_in_tflm(one_operator(kind, t, inputs))}
    types = TFLM_OPERATORS[kind].types
    assert types is not None
    assert {dtype.value for dtype in types} & set(TYPES) == taken


def problems(model: bytes, board: str = "qemu-m4") -> list[str]:
    release = release_for(load_board(board))
    return [str(problem) for problem in tflm_problems(parse_model(model, "m"), release)]


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
def test_a_model_of_a_type_that_tflm_runs_has_no_problems(dtype: str) -> None:
    assert problems(relu(dtype)) == []


def several_unsupported() -> bytes:
    builder = ModelBuilder()
    value = builder.input("float32", (1, 4))
    for kind in ("RELU_N1_TO_1", "RELU", "RELU_N1_TO_1"):
        value = builder.operator(kind, [value], builder.tensor("float32", (1, 4)))
    value = builder.operator(
        "CUSTOM", [value], builder.tensor("float32", (1, 4)), custom_code="Mine"
    )
    return builder.build([value])


def test_all_operators_that_tflm_lacks_are_listed_at_once() -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        plan_of(several_unsupported())
    lacking = [line.split(":")[0] for line in caught.value.details]
    assert lacking == ["layer 0 RELU_N1_TO_1", "layer 2 RELU_N1_TO_1", "layer 3 CUSTOM"]
    assert "engine 'tflm' cannot run this model" in caught.value.message


def test_a_type_that_an_operator_lacks_is_told_with_those_it_has() -> None:
    (line,) = problems(one_operator("CEIL", "int8", 1))
    assert line.startswith("layer 0 CEIL: int8 is not supported by TensorFlow Lite Micro (float32)")


def test_a_hybrid_model_is_refused_layer_by_layer() -> None:
    found = problems(shared_model("kws_ref_model_float32.tflite").read_bytes())
    assert len(found) == 5
    assert all("float32 values with int8 weights (a hybrid layer)" in line for line in found)


def test_resource_variables_are_refused() -> None:
    builder = ModelBuilder()
    x = builder.input("int32", (1,))
    y = builder.operator("READ_VARIABLE", [x], builder.tensor("float32", (1, 4)))
    assert any(
        "resource variables are not supported" in line for line in problems(builder.build([y]))
    )


def test_control_flow_is_refused() -> None:
    builder = ModelBuilder()
    condition = builder.input("bool", (1,))
    x = builder.input("float32", (1, 4))
    y = builder.tensor("float32", (1, 4))
    builder.operator("IF", [condition, x], y, then_subgraph_index=0, else_subgraph_index=0)
    assert any("runs another part of the model" in line for line in problems(builder.build([y])))


def reverse() -> bytes:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4))
    axis = builder.constant(np.array([1]), "int32")
    y = builder.operator("REVERSE_V2", [x, axis], builder.tensor("float32", (1, 4)))
    return builder.build([y])


def test_an_operator_that_only_the_boards_library_lacks_is_refused_for_that_board() -> None:
    assert problems(reverse()) == []
    (line,) = problems(reverse(), board="nano33ble")
    assert "Chirale_TensorFLowLite 2.0.0 has no such operator" in line


def per_channel_int16(folder: Path) -> Path:
    """A dense layer on int16, each channel's weights with a scale of its own."""
    builder = ModelBuilder()
    x = builder.input("int16", (1, 3), scale=0.5)
    w = builder.constant(np.ones((2, 3), np.int8), scale=[0.1, 0.2], axis=0)
    b = builder.constant(np.zeros(2, np.int64), scale=[0.05, 0.1], axis=0)
    y = builder.tensor("int16", (1, 2), scale=1.0)
    builder.operator("FULLY_CONNECTED", [x, w, b], y)
    (folder / "dense.tflite").write_bytes(builder.build([y]))
    return folder / "dense.tflite"


@pytest.mark.parametrize("kernel", ["arm_convolve_s8", "reference"])
def test_what_cmsis_nn_refuses_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: str
) -> None:
    core = load_board("qemu-m4").core
    tree = make_directory(tmp_path / "tflm", "qemu-m4")
    library = tree / "lib" / tflm_core_name(core) / LIBRARY
    make_library(library, core, f"int {kernel}(void) {{ return 1; }}\n")
    monkeypatch.setenv("TINYML_TFLM_DIR", str(tree))
    model = per_channel_int16(tmp_path)
    output = tmp_path / "project"
    if kernel == "reference":
        tt.generate(model, engine="tflm", output=output)
        return
    with pytest.raises(UnsupportedModelError, match="layer 0 FULLY_CONNECTED") as error:
        tt.generate(model, engine="tflm", output=output)
    assert "--dense-per-tensor" in str(error.value.hint)
    assert not output.exists()
