"""Small models for the tests of the graph room, and edits that break them."""

from __future__ import annotations

from collections.abc import Callable

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from model_builder import ModelBuilder

Edit = Callable[[schema.ModelT], None]


def small_model() -> bytes:
    """A convolutional classifier of 8x8 pictures: four layers, int8, batch 1."""
    random = np.random.default_rng(7)
    builder = ModelBuilder()
    picture = builder.input("int8", (1, 8, 8, 1), scale=0.0625, zero_point=-128, name="picture")
    filters = builder.constant(
        random.integers(-127, 128, (4, 3, 3, 1)),
        "int8",
        scale=[0.01, 0.02, 0.03, 0.04],
        axis=0,
        name="filters",
    )
    bias = builder.constant(
        [1, -2, 3, -4], "int32", scale=[0.000625, 0.00125, 0.001875, 0.0025], axis=0
    )
    features = builder.tensor("int8", (1, 4, 4, 4), scale=0.05, zero_point=-128, name="features")
    builder.operator(
        "CONV_2D",
        [picture, filters, bias],
        features,
        padding="SAME",
        stride_h=2,
        stride_w=2,
        fused_activation_function="RELU",
    )
    flat = builder.tensor("int8", (1, 64), scale=0.05, zero_point=-128, name="flat")
    builder.operator("RESHAPE", [features, builder.constant([-1, 64], "int32")], flat)
    matrix = builder.constant(random.integers(-127, 128, (10, 64)), "int8", scale=0.02)
    logits = builder.tensor("int8", (1, 10), scale=0.1, zero_point=3, name="logits")
    dense_bias = builder.constant(np.arange(10), "int32", scale=0.001)
    builder.operator("FULLY_CONNECTED", [flat, matrix, dense_bias], logits)
    answer = builder.tensor("int8", (1, 10), scale=1 / 256, zero_point=-128, name="answer")
    builder.operator("SOFTMAX", [logits], answer, beta=1.0)
    return builder.build([answer])


PICTURE, FILTERS, CONV_BIAS, FEATURES, FLAT, SHAPE, MATRIX, LOGITS, DENSE_BIAS, ANSWER = range(10)
"""Tensors of `small_model`."""
CONV, RESHAPE, DENSE, SOFTMAX = range(4)
"""Layers of `small_model`."""


def edited(model: bytes, *edits: Edit) -> bytes:
    """The model after the edits, packed again."""
    unpacked = schema.ModelT.InitFromPackedBuf(model, 0)
    for edit in edits:
        edit(unpacked)
    builder = flatbuffers.Builder(1024)
    builder.Finish(unpacked.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def tensor_edit(index: int, **fields: object) -> Edit:
    """Sets fields of a tensor, named as in the schema's object interface."""

    def edit(model: schema.ModelT) -> None:
        _set(model.subgraphs[0].tensors[index], fields)

    return edit


def quantization_edit(index: int, **fields: object) -> Edit:
    """Sets fields of a tensor's quantization parameters."""

    def edit(model: schema.ModelT) -> None:
        _set(model.subgraphs[0].tensors[index].quantization, fields)

    return edit


def operator_edit(index: int, **fields: object) -> Edit:
    """Sets fields of an operator."""

    def edit(model: schema.ModelT) -> None:
        _set(model.subgraphs[0].operators[index], fields)

    return edit


def option_edit(index: int, **fields: object) -> Edit:
    """Sets fields of an operator's options."""

    def edit(model: schema.ModelT) -> None:
        _set(model.subgraphs[0].operators[index].builtinOptions, fields)

    return edit


def subgraph_edit(**fields: object) -> Edit:
    """Sets fields of the main subgraph."""

    def edit(model: schema.ModelT) -> None:
        _set(model.subgraphs[0], fields)

    return edit


def _set(target: object, fields: dict[str, object]) -> None:
    for name, value in fields.items():
        assert hasattr(target, name), f"{type(target).__name__} has no field {name}"
        setattr(target, name, value)
