"""The product's promise: real models, built and run on every emulated core, bit for bit right."""

from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

import pytest
from shared import shared_model

import tinyml_tool as tt
from tinyml_tool.config import Optimize
from tinyml_tool.errors import DoesNotFitError
from tinyml_tool.graph.passes.rewrite import rewrite
from tinyml_tool.graph.types import Graph, Operator

MODELS = (
    "hello_world_int8",
    "kws_ref_model",
    "vww_96_int8",
    "pretrainedResnet_quant",
    "ad01_int8",
    "person_detect",
)
FIT_16_KB = ("hello_world_int8", "kws_ref_model")
LARGE_BOARDS = ("qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")
DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"
INPUTS = 10


def layer_values(graph: Graph) -> int:
    return sum(graph.tensors[t].elements for op in graph.operators for t in op.outputs)


def origin(operator: Operator) -> int:
    """The layer of the model file."""
    return operator.index if operator.layer is None else operator.layer


def assert_bit_exact(model: Path, board: str, folder: Path, system: str = "platformio") -> None:
    evidence = tt.deploy(
        model,
        board=board,
        output=folder / "project",
        vectors=INPUTS,
        system="cmake" if system == "cmake" else "platformio",
    )
    graph = tt.read_model(model)
    left = rewrite(graph)
    foretold = sum(known.values.size for known in left.foretold)
    output_values = sum(graph.tensors[t].elements for t in graph.outputs)
    assert evidence.parity.vectors == INPUTS
    # A layer whose rows never lie in memory together is compared at the end of its stage.
    banded = {change.layer for change in evidence.passes.in_bands}
    compared = replace(
        left.graph, operators=tuple(op for op in left.graph.operators if origin(op) not in banded)
    )
    assert len(compared.operators) == len(left.graph.operators) - len(banded)
    assert evidence.parity.layers == len(compared.operators)
    assert evidence.parity.values_compared == INPUTS * (layer_values(compared) + output_values)
    assert evidence.parity.values_foretold == INPUTS * foretold
    # What no layer reads is neither computed nor known.
    assert layer_values(left.graph) + foretold >= 0.99 * layer_values(graph)
    assert evidence.parity.values_different == 0
    assert evidence.instructions_per_inference is not None
    assert evidence.memory is not None
    assert 0 < evidence.memory.stack_bytes < 2048
    assert evidence.memory.arena_bytes < evidence.memory.ram_bytes


@pytest.mark.parametrize("board", [*LARGE_BOARDS, "qemu-m0", "netduinoplus2"])
def test_digits_is_bit_exact(board: str, tmp_path: Path) -> None:
    assert_bit_exact(DIGITS, board, tmp_path)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("board", [*LARGE_BOARDS, "netduinoplus2"])
def test_a_real_model_is_bit_exact(board: str, model: str, tmp_path: Path) -> None:
    assert_bit_exact(shared_model(f"{model}.tflite"), board, tmp_path)


def test_without_bands_of_rows_every_layer_is_compared(tmp_path: Path) -> None:
    model = shared_model("vww_96_int8.tflite")
    evidence = tt.deploy(model, output=tmp_path / "project", without_passes=("split-rows",))
    assert not evidence.passes.in_bands
    assert evidence.parity.layers == len(tt.read_model(model).operators)
    assert evidence.parity.exact


@pytest.mark.parametrize("model", FIT_16_KB)
def test_a_small_model_is_bit_exact_on_the_smallest_core(model: str, tmp_path: Path) -> None:
    assert_bit_exact(shared_model(f"{model}.tflite"), "qemu-m0", tmp_path)


def test_a_firmware_built_with_cmake_is_bit_exact_too(tmp_path: Path) -> None:
    assert_bit_exact(DIGITS, "qemu-m4", tmp_path, system="cmake")


@pytest.mark.parametrize("model", [model for model in MODELS if model not in FIT_16_KB])
def test_what_does_not_fit_16_kb_is_refused_before_anything_is_written(
    model: str, tmp_path: Path
) -> None:
    path = shared_model(f"{model}.tflite")
    with pytest.raises(DoesNotFitError, match="qemu-m0 has"):
        tt.deploy(path, board="qemu-m0", output=tmp_path / "project")
    assert not (tmp_path / "project").exists()


def test_the_same_firmware_gives_the_same_instruction_count(tmp_path: Path) -> None:
    project = tmp_path / "project"
    first = tt.deploy(DIGITS, output=project).instructions_per_inference
    assert {tt.validate(project, vectors=n).instructions_per_inference for n in (1, 2, 3)} == {
        first
    }


@pytest.mark.slow
@pytest.mark.parametrize("optimize", get_args(Optimize))
@pytest.mark.parametrize("model", MODELS)
def test_every_preset_is_bit_exact_over_a_hundred_inputs(
    model: str, optimize: str, tmp_path: Path
) -> None:
    preset = cast("Optimize", optimize)
    evidence = tt.deploy(
        shared_model(f"{model}.tflite"), optimize=preset, output=tmp_path / "p", vectors=100
    )
    assert (evidence.parity.vectors, evidence.parity.values_different) == (100, 0)
    assert evidence.optimize == optimize
