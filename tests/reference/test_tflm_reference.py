from __future__ import annotations

import builtins
import os
import random
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from model_builder import ModelBuilder
from shared import shared_model

from tinyml_tool.errors import (
    InputError,
    InvalidModelError,
    TinymlError,
    ToolMissingError,
    UnsupportedModelError,
)
from tinyml_tool.reference import tflm
from tinyml_tool.reference.tflm import TflmReference

runtime = pytest.importorskip("tflite_micro").runtime

SHARED_INT8 = [
    "hello_world_int8.tflite",
    "kws_ref_model.tflite",
    "ad01_int8.tflite",
    "pretrainedResnet_quant.tflite",
    "vww_96_int8.tflite",
    "person_detect.tflite",
]


def relu_model(elements: int = 4) -> bytes:
    builder = ModelBuilder()
    shape = (1, elements)
    x = builder.input("int8", shape, scale=0.5, zero_point=0)
    y = builder.operator("RELU", [x], builder.tensor("int8", shape, scale=0.5, zero_point=0))
    return builder.build([y])


def two_layer_model() -> bytes:
    """Inputs a, b of 3 values; layer 0: a + b (tensor 2); layer 1: RELU of it (tensor 3)."""
    builder = ModelBuilder()
    same = {"scale": 1.0, "zero_point": 0}
    a, b = builder.input("int8", (1, 3), **same), builder.input("int8", (1, 3), **same)
    total = builder.operator("ADD", [a, b], builder.tensor("int8", (1, 3), **same))
    y = builder.operator("RELU", [total], builder.tensor("int8", (1, 3), **same))
    return builder.build([y])


def zeros(reference: TflmReference) -> list[Any]:
    return [np.zeros(port.shape, port.dtype) for port in reference.inputs]


def test_outputs_are_those_of_the_operator() -> None:
    reference = TflmReference(relu_model(), "relu")
    (output,) = reference.run([np.array([[-128, -1, 0, 127]], np.int8)])
    assert output.tolist() == [[0, 0, 0, 127]]


def test_every_layer_is_seen_under_its_tensor_index() -> None:
    reference = TflmReference(two_layer_model(), "two")
    a, b = np.array([[1, 2, 3]], np.int8), np.array([[1, -9, 3]], np.int8)
    layers = reference.run_layers([a, b])
    assert {key: value.tolist() for key, value in layers.items()} == {
        2: [[2, -7, 6]],
        3: [[2, 0, 6]],
    }


def test_results_are_not_changed_by_the_next_run() -> None:
    reference = TflmReference(relu_model(), "relu")
    first, layers = np.full((1, 4), 5, np.int8), np.full((1, 4), 5, np.int8)
    (output,) = reference.run([first])
    seen = reference.run_layers([layers])[1]
    reference.run([np.full((1, 4), 9, np.int8)])
    assert output.tolist() == seen.tolist() == [[5, 5, 5, 5]]


def test_an_input_that_is_not_contiguous_counts_in_its_logical_order() -> None:
    reference = TflmReference(relu_model(), "relu")
    backwards = np.array([[4, 3, 2, 1]], np.int8)[:, ::-1]
    assert reference.run([backwards])[0].tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize("name", SHARED_INT8)
def test_a_real_model_shows_an_output_for_every_operator(name: str) -> None:
    model = shared_model(name).read_bytes()
    reference = TflmReference(model, name)
    graph = schema.Model.GetRootAs(model, 0).Subgraphs(0)
    expected = {graph.Operators(i).Outputs(0) for i in range(graph.OperatorsLength())}
    assert reference.run_layers(zeros(reference)).keys() == expected


@pytest.mark.parametrize("name", SHARED_INT8)
def test_the_last_layer_is_the_output(name: str) -> None:
    model = shared_model(name).read_bytes()
    reference = TflmReference(model, name)
    last = schema.Model.GetRootAs(model, 0).Subgraphs(0).Outputs(0)
    inputs = zeros(reference)
    np.testing.assert_array_equal(reference.run(inputs)[0], reference.run_layers(inputs)[last])


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("hello_world_int8.tflite", 1_000, 3_000),
        ("kws_ref_model.tflite", 22_000, 27_000),
        # TFLM itself reports 3,984 bytes, with which it cannot prepare this model.
        ("ad01_int8.tflite", 4_640, 5_000),
        ("pretrainedResnet_quant.tflite", 54_000, 60_000),
        ("vww_96_int8.tflite", 100_000, 110_000),
    ],
)
def test_the_arena_size_is_what_the_interpreter_really_needs(
    name: str, least: int, most: int
) -> None:
    reference = TflmReference(shared_model(name).read_bytes(), name)
    assert least <= reference.arena_bytes() <= most


@pytest.mark.parametrize("name", ["kws_ref_model.tflite", "ad01_int8.tflite"])
def test_the_arena_size_is_the_smallest_that_works(name: str) -> None:
    model = shared_model(name).read_bytes()
    arena = TflmReference(model, name).arena_bytes()
    runtime.Interpreter.from_bytes(model, arena_size=arena).invoke()
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(model, arena_size=arena - 16)


def test_the_arena_of_the_largest_model_is_found_in_few_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reference = TflmReference(shared_model("vww_96_int8.tflite").read_bytes(), "vww")
    tried: list[int] = []
    run = reference._runs_in

    def counted(arena: int, *rest: Any) -> bool:
        tried.append(arena)
        return run(arena, *rest)

    monkeypatch.setattr(reference, "_runs_in", counted)
    found = reference.arena_bytes()
    assert found in tried
    assert len(tried) <= 2 * (found // 16).bit_length() + 2


def test_finding_the_arena_leaves_the_interpreter_usable() -> None:
    reference = TflmReference(relu_model(), "relu")
    reference.arena_bytes()
    assert reference.run([np.full((1, 4), 3, np.int8)])[0].tolist() == [[3, 3, 3, 3]]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([], "1 inputs, 0 were given"),
        ([np.zeros((1, 4), np.int8)] * 2, "1 inputs, 2 were given"),
        ([np.zeros((1, 4), np.uint8)], "needs int8[1x4], not uint8[1x4]"),
        ([np.zeros((1, 4), np.float32)], "needs int8[1x4], not float32[1x4]"),
        ([np.zeros((4,), np.int8)], "needs int8[1x4], not int8[4]"),
        ([np.zeros((1, 5), np.int8)], "needs int8[1x4], not int8[1x5]"),
        ([np.zeros((), np.int8)], "needs int8[1x4], not int8[scalar]"),
    ],
)
def test_a_wrong_input_is_refused_with_what_is_needed(inputs: list[Any], words: str) -> None:
    reference = TflmReference(relu_model(), "relu")
    with pytest.raises(InputError, match="relu") as caught:
        reference.run(inputs)
    assert words in caught.value.message


def test_an_unsupported_operator_is_named() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5)
    y = builder.operator("GELU", [x], builder.tensor("int8", (1, 4), scale=0.5))
    with pytest.raises(
        UnsupportedModelError, match="TFLM does not run odd: it has no operator GELU"
    ):
        TflmReference(builder.build([y]), "odd")


def test_a_layer_that_cannot_be_prepared_is_named_with_tflms_reason() -> None:
    model = shared_model("kws_ref_model_float32.tflite").read_bytes()
    with pytest.raises(UnsupportedModelError) as caught:
        TflmReference(model, "kws_float")
    assert caught.value.message == (
        "TFLM does not run kws_float: "
        "layer 0 CONV_2D: Hybrid models are not supported on TFLite Micro."
    )


def test_tflms_complaints_do_not_reach_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5)
    y = builder.operator("GELU", [x], builder.tensor("int8", (1, 4), scale=0.5))
    with pytest.raises(UnsupportedModelError):
        TflmReference(builder.build([y]), "odd")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (b"", "is empty"),
        (b"hi", "is not a .tflite model"),
        (b"\x18\0\0\0TFL2" + bytes(100), "b'TFL2' instead of b'TFL3'"),
        (b"\xff\xff\xff\x7fTFL3" + bytes(100), "is damaged"),
    ],
)
def test_a_file_that_is_no_model_is_refused(model: bytes, words: str) -> None:
    with pytest.raises(InvalidModelError) as caught:
        TflmReference(model, "file")
    assert words in caught.value.message


@pytest.mark.parametrize("twentieth", range(1, 20))
def test_a_truncated_model_is_refused(twentieth: int) -> None:
    model = shared_model("kws_ref_model.tflite").read_bytes()
    with pytest.raises(InvalidModelError, match="damaged"):
        TflmReference(model[: len(model) * twentieth // 20], "kws")


def test_a_model_that_crashes_the_interpreter_is_an_error_and_nothing_worse() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4, 4, 1), scale=0.5)
    channels = {"scale": [1.0, 1.0], "axis": 0}
    no_channels = builder.constant(np.zeros((2, 1, 1, 0)), "int8", **channels)  # TFLM divides by it
    bias = builder.constant(np.zeros(2), "int32", **channels)
    y = builder.operator(
        "CONV_2D",
        [x, no_channels, bias],
        builder.tensor("int8", (1, 4, 4, 2), scale=0.5),
        padding="SAME",
        stride_h=1,
        stride_w=1,
    )
    with pytest.raises(InvalidModelError, match=r"crashes the TFLM interpreter \(SIGFPE\)"):
        TflmReference(builder.build([y]), "no_channels")


def test_a_damaged_model_never_takes_the_process_with_it() -> None:
    """Random bytes of the model's head, where its structure is, are overwritten."""
    model = shared_model("hello_world_int8.tflite").read_bytes()
    rng = random.Random(7)
    refused = 0
    for _ in range(150):
        damaged = bytearray(model)
        for _ in range(8):
            damaged[rng.randrange(8, len(damaged))] = rng.randrange(256)
        try:
            reference = TflmReference(bytes(damaged), "damaged")
            reference.run(zeros(reference))
        except TinymlError:
            refused += 1
    assert 0 < refused < 150


def test_no_file_descriptor_is_left_open_after_a_crash() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, needs no paths
    for _ in range(3):
        with pytest.raises(InvalidModelError):
            TflmReference(b"\xff\xff\xff\x7fTFL3" + bytes(100), "file")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@pytest.mark.parametrize(
    ("system", "machine", "way_out"),
    [
        ("linux", "x86_64", "pip install"),
        ("darwin", "arm64", "Linux on x86-64 only"),
        ("linux", "aarch64", "Linux on x86-64 only"),
    ],
)
def test_a_missing_package_is_told_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, way_out: str
) -> None:
    real_import = builtins.__import__

    def no_tflite_micro(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("tflite_micro"):
            raise ImportError("No module named 'tflite_micro'")
        return real_import(name, *args, **kwargs)

    tflm._runtime_module.cache_clear()
    monkeypatch.setattr(builtins, "__import__", no_tflite_micro)
    monkeypatch.setattr(tflm.sys, "platform", system)
    monkeypatch.setattr(tflm.platform, "machine", lambda: machine)
    with pytest.raises(ToolMissingError, match="tflite-micro") as caught:
        TflmReference(relu_model(), "relu")
    assert caught.value.hint is not None
    assert way_out in caught.value.hint
