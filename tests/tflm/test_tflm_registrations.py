"""The operators that a generated project registers: the model's, for the model's types."""

from __future__ import annotations

import re

import numpy as np
import pytest
from model_builder import ModelBuilder
from shared import shared_model
from tflm_case import SHARED, added_operators, int16x8, plan_of, relu, sources_of

from tinyml_tool.compiler.tflm_operators import TFLM_OPERATORS
from tinyml_tool.compiler.tflm_release import ARDUINO
from tinyml_tool.graph import read_model


def registered(model: bytes, board: str = "qemu-m4") -> dict[str, str | None]:
    return added_operators(sources_of(model, board=board)["lib/model/model_tflm.cpp"])


@pytest.mark.parametrize("name", SHARED)
def test_the_resolver_holds_exactly_the_operators_of_the_model(name: str) -> None:
    path = shared_model(name)
    kinds = {operator.kind for operator in read_model(path).operators}
    text = sources_of(path.read_bytes())["lib/model/model_tflm.cpp"]
    assert set(added_operators(text)) == {TFLM_OPERATORS[kind].method for kind in kinds}
    (size,) = re.findall(r"MicroMutableOpResolver<(\d+)>", text)
    assert int(size) == len(kinds)


@pytest.mark.parametrize("name", SHARED)
def test_an_int8_model_gets_the_registrations_for_int8_alone(name: str) -> None:
    found = registered(shared_model(name).read_bytes())
    without = {"AddReshape"}
    assert all(special.endswith("_INT8") for method, special in found.items() if special)
    assert {method for method, special in found.items() if special is None} <= without


def test_an_int16x8_model_gets_those_for_int16() -> None:
    assert registered(int16x8()) == {
        "AddConv2D": "Register_CONV_2D_INT16",
        "AddFullyConnected": "Register_FULLY_CONNECTED_INT16",
    }


def test_a_float_model_gets_the_general_ones() -> None:
    assert registered(relu("float32")) == {"AddRelu": None}


def dense(builder: ModelBuilder, source: int, dtype: str, weights: str, scale: float | None) -> int:
    constant = builder.constant(np.ones((4, 4)), weights, scale=scale)
    target = builder.tensor(dtype, (1, 4), scale=scale)
    return builder.operator("FULLY_CONNECTED", [source, constant, -1], target)


def test_a_kind_that_is_used_with_two_types_gets_the_general_one() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5)
    quantized = dense(builder, x, "int8", "int8", 0.5)
    real = builder.operator("DEQUANTIZE", [quantized], builder.tensor("float32", (1, 4)))
    y = dense(builder, real, "float32", "float32", None)
    assert registered(builder.build([y]))["AddFullyConnected"] is None


def test_four_bit_weights_get_the_general_one() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5)
    weights = builder.tensor("int4", (4, 4), scale=0.5, data=bytes(8))
    y = builder.tensor("int8", (1, 4), scale=0.5)
    builder.operator("FULLY_CONNECTED", [x, weights, -1], y)
    assert registered(builder.build([y])) == {"AddFullyConnected": None}


def test_softmax_that_widens_has_a_registration_of_its_own() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5)
    y = builder.tensor("int16", (1, 4), scale=1 / 32768)
    builder.operator("SOFTMAX", [x], y, beta=1.0)
    assert registered(builder.build([y])) == {"AddSoftmax": "Register_SOFTMAX_INT8_INT16"}


def pad() -> bytes:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5)
    sizes = builder.constant(np.array([[0, 0], [1, 1]]), "int32")
    y = builder.tensor("int8", (1, 6), scale=0.5)
    builder.operator("PAD", [x, sizes], y)
    return builder.build([y])


def test_an_older_release_gets_no_registration_that_it_lacks() -> None:
    assert registered(pad()) == {"AddPad": "Register_PAD_INT8"}
    assert "Register_PAD_INT8" in ARDUINO.missing
    assert registered(pad(), board="nano33ble") == {"AddPad": None}


def test_what_a_specialised_registration_needs_is_included() -> None:
    text = sources_of(pad())["lib/model/model_tflm.cpp"]
    assert '#include "tensorflow/lite/micro/kernels/pad.h"' in text


def test_every_method_that_a_release_lacks_is_one_that_upstream_has() -> None:
    methods = {operator.method for operator in TFLM_OPERATORS.values()}
    missing = {name for name in ARDUINO.missing if name.startswith("Add")}
    assert missing <= methods


def test_the_plan_keeps_the_file_as_it_is() -> None:
    assert plan_of(relu()).model == relu()
