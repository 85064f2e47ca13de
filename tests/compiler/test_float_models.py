"""A model that computes in floats: engine aot says so once, whatever its layers are."""

from __future__ import annotations

from model_builder import ModelBuilder
from shared import shared_model

from tinyml_tool.boards import load_board
from tinyml_tool.compiler.compile import problems_of
from tinyml_tool.compiler.target import Target
from tinyml_tool.graph import Graph, Problem, parse_model, read_model


def problems(graph: Graph) -> tuple[Problem, ...]:
    return problems_of(graph, Target(load_board("qemu-m4").core))[0]


def test_a_float_model_is_told_to_be_quantized() -> None:
    (problem,) = problems(read_model(shared_model("kws_ref_model_float32.tflite")))
    assert problem.layer is None
    assert "the model is float" in problem.cause
    assert "quantize the model to int8" in problem.fix


def test_engine_tflm_is_recommended_only_where_it_runs_the_model() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4))
    y = builder.operator("LOGISTIC", [x], builder.tensor("float32", (1, 4)))
    (problem,) = problems(parse_model(builder.build([y]), "float"))
    assert "--engine tflm" in problem.fix
    (problem,) = problems(read_model(shared_model("kws_ref_model_float32.tflite")))
    assert "tflm" not in problem.fix  # some of its weights are int8: TFLM has no such kernels


def float_between(*kinds: str) -> list[str]:
    """Problems of int8 -> float -> the kinds in float -> int8."""
    builder = ModelBuilder()
    value = builder.input("int8", (1, 4), scale=1.0)
    for kind in kinds:
        is_int8 = kind in ("QUANTIZE", "RELU6")
        dtype, scale = ("int8", 1.0) if is_int8 else ("float32", None)
        value = builder.operator(kind, [value], builder.tensor(dtype, (1, 4), scale=scale))
    found = problems(parse_model(builder.build([value]), "m"))
    return [problem.cause for problem in found if problem.layer is None]


def test_a_float_layer_between_conversions_makes_a_float_model() -> None:
    (cause,) = float_between("DEQUANTIZE", "LOGISTIC", "QUANTIZE")
    assert "the model is float" in cause


def test_float_outputs_of_a_quantized_model_make_no_float_model() -> None:
    assert float_between("RELU6", "DEQUANTIZE") == []


def test_a_model_with_some_quantized_layers_is_no_float_model() -> None:
    assert float_between("RELU6", "DEQUANTIZE", "LOGISTIC") == []
