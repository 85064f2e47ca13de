"""What is in the file is what is in the graph."""

import hashlib
import struct
import time
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from model_builder import ModelBuilder
from shared import shared_model
from small_models import (
    ANSWER,
    CONV,
    CONV_BIAS,
    DENSE,
    FILTERS,
    LOGITS,
    MATRIX,
    PICTURE,
    RESHAPE,
    SHAPE,
    SOFTMAX,
    edited,
    operator_edit,
    quantization_edit,
    small_model,
    tensor_edit,
)

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph import DType, Graph, check, parse_model, read_model
from tinyml_tool.graph import options as o
from tinyml_tool.graph.int4 import packed_int4

LAYERS = {
    "ad01_int8.tflite": 10,
    "hello_world_int8.tflite": 3,
    "kws_ref_model.tflite": 13,
    "kws_ref_model_float32.tflite": 13,
    "person_detect.tflite": 31,
    "pretrainedResnet_quant.tflite": 16,
    "vww_96_int8.tflite": 31,
}


@pytest.fixture(scope="module")
def model() -> bytes:
    return small_model()


@pytest.fixture(scope="module")
def graph(model: bytes) -> Graph:
    return parse_model(model, "digits")


@pytest.mark.parametrize(("name", "layers"), LAYERS.items(), ids=LAYERS)
def test_a_real_model_has_all_its_layers(name: str, layers: int) -> None:
    assert len(read_model(shared_model(name)).operators) == layers


@pytest.mark.parametrize("name", LAYERS)
def test_a_real_model_reads_as_the_generated_object_interface_reads_it(name: str) -> None:
    data = shared_model(name).read_bytes()
    graph = parse_model(data, name)
    expected = schema.ModelT.InitFromPackedBuf(data, 0)
    subgraph = expected.subgraphs[0]
    assert graph.inputs == tuple(subgraph.inputs)
    assert graph.outputs == tuple(subgraph.outputs)
    for operator, other in zip(graph.operators, subgraph.operators, strict=True):
        assert operator.inputs == tuple(other.inputs)
        assert operator.outputs == tuple(other.outputs)
    for tensor, other in zip(graph.tensors, subgraph.tensors, strict=True):
        stored = expected.buffers[other.buffer].data
        assert tensor.shape == tuple(other.shape)
        assert tensor.is_constant == (stored is not None)
        if tensor.data is not None:
            assert tensor.data.tobytes() == bytes(stored)
        if tensor.quantization is not None:
            assert tensor.quantization.scales == tuple(other.quantization.scale)


def test_the_hash_is_that_of_the_file(model: bytes, graph: Graph) -> None:
    assert graph.model_hash == hashlib.sha256(model).hexdigest()


def test_a_graph_prints_its_layers(graph: Graph) -> None:
    assert str(graph).splitlines() == [
        "graph digits (%0 int8[1x8x8x1]) -> (%9 int8[1x10])",
        "    0 CONV_2D (%0 int8[1x8x8x1], %1 int8[4x3x3x1], %2 int32[4]) -> %3 int8[1x4x4x4]",
        "    1 RESHAPE (%3 int8[1x4x4x4], %5 int32[2]) -> %4 int8[1x64]",
        "    2 FULLY_CONNECTED (%4 int8[1x64], %6 int8[10x64], %8 int32[10]) -> %7 int8[1x10]",
        "    3 SOFTMAX (%7 int8[1x10]) -> %9 int8[1x10]",
    ]


def test_a_constant_has_the_type_and_shape_of_its_tensor(graph: Graph) -> None:
    data = graph.tensor(SHAPE).data
    assert data is not None
    assert (data.dtype, data.tolist()) == (np.int32, [-1, 64])


def test_constants_are_views_of_the_file(model: bytes, graph: Graph) -> None:
    whole = np.frombuffer(model, np.uint8)
    assert all(
        np.shares_memory(whole, tensor.data) for tensor in graph.tensors if tensor.data is not None
    )


def test_constants_cannot_be_written(graph: Graph) -> None:
    data = graph.tensor(FILTERS).data
    assert data is not None
    with pytest.raises(ValueError, match="read-only"):
        data[0] = 1


def test_constants_of_a_mutable_buffer_are_protected_too(model: bytes) -> None:
    buffer = bytearray(model)
    graph = parse_model(buffer, "digits")
    before = graph.tensor(MATRIX).data
    assert before is not None
    copy = before.copy()
    buffer[:] = bytes(len(buffer))
    assert np.array_equal(before, copy)


def test_a_graph_cannot_be_changed(graph: Graph) -> None:
    with pytest.raises(FrozenInstanceError):
        graph.name = "other"  # type: ignore[misc]


def test_quantization_per_tensor_has_no_axis(graph: Graph) -> None:
    quantization = graph.tensor(PICTURE).quantization
    assert quantization is not None
    assert (quantization.scale, quantization.zero_point) == (0.0625, -128)
    assert not quantization.per_channel


def test_quantization_per_channel_has_a_scale_for_each(graph: Graph) -> None:
    quantization = graph.tensor(FILTERS).quantization
    assert quantization is not None
    assert quantization.axis == 0
    assert quantization.scales == pytest.approx((0.01, 0.02, 0.03, 0.04))
    assert quantization.zero_points == (0, 0, 0, 0)


def test_one_zero_point_counts_for_all_channels(model: bytes) -> None:
    graph = parse_model(edited(model, quantization_edit(FILTERS, zeroPoint=[0])), "m")
    quantization = graph.tensor(FILTERS).quantization
    assert quantization is not None
    assert quantization.zero_points == (0, 0, 0, 0)
    assert check(graph) == ()


def test_scales_are_exactly_those_of_the_file(model: bytes) -> None:
    graph = parse_model(edited(model, quantization_edit(LOGITS, scale=[0.1])), "m")
    quantization = graph.tensor(LOGITS).quantization
    assert quantization is not None
    assert quantization.scale == float(np.float32(0.1))


def test_a_tensor_without_scales_is_not_quantized(graph: Graph) -> None:
    assert graph.tensor(SHAPE).quantization is None


def test_options_of_each_layer_are_read(graph: Graph) -> None:
    options = [operator.options for operator in graph.operators]
    assert options[CONV] == o.Conv2DOptions(
        padding=o.Padding.SAME, stride_h=2, stride_w=2, activation=o.Activation.RELU
    )
    assert options[RESHAPE] is None
    assert options[DENSE] == o.FullyConnectedOptions()
    assert options[SOFTMAX] == o.SoftmaxOptions(beta=1.0)


OPTIONS = {
    "CONV_2D": (
        {
            "padding": "VALID",
            "stride_h": 2,
            "stride_w": 3,
            "dilation_h_factor": 4,
            "dilation_w_factor": 5,
            "fused_activation_function": "RELU6",
        },
        o.Conv2DOptions(o.Padding.VALID, 2, 3, 4, 5, o.Activation.RELU6),
    ),
    "DEPTHWISE_CONV_2D": (
        {
            "padding": "SAME",
            "stride_h": 2,
            "stride_w": 3,
            "dilation_h_factor": 4,
            "dilation_w_factor": 5,
            "depth_multiplier": 6,
            "fused_activation_function": "RELU_N1_TO_1",
        },
        o.Conv2DOptions(o.Padding.SAME, 2, 3, 4, 5, o.Activation.RELU_N1_TO_1, 6),
    ),
    "AVERAGE_POOL_2D": (
        {
            "padding": "VALID",
            "stride_h": 1,
            "stride_w": 2,
            "filter_height": 3,
            "filter_width": 4,
            "fused_activation_function": "TANH",
        },
        o.Pool2DOptions(o.Padding.VALID, 1, 2, 3, 4, o.Activation.TANH),
    ),
    "MAX_POOL_2D": (
        {"padding": "SAME", "stride_h": 1, "stride_w": 2, "filter_height": 3, "filter_width": 4},
        o.Pool2DOptions(o.Padding.SAME, 1, 2, 3, 4),
    ),
    "FULLY_CONNECTED": (
        {
            "fused_activation_function": "SIGN_BIT",
            "keep_num_dims": True,
            "weights_format": "SHUFFLED4x16INT8",
        },
        o.FullyConnectedOptions(o.Activation.SIGN_BIT, keep_num_dims=True, shuffled_weights=True),
    ),
    "ADD": ({"fused_activation_function": "RELU"}, o.ElementwiseOptions(o.Activation.RELU)),
    "SUB": ({"fused_activation_function": "RELU6"}, o.ElementwiseOptions(o.Activation.RELU6)),
    "MUL": ({"fused_activation_function": "NONE"}, o.ElementwiseOptions(o.Activation.NONE)),
    "MEAN": ({"keep_dims": True}, o.ReduceOptions(keep_dims=True)),
    "CONCATENATION": (
        {"axis": -1, "fused_activation_function": "RELU"},
        o.ConcatenationOptions(-1, o.Activation.RELU),
    ),
    "SOFTMAX": ({"beta": 0.5}, o.SoftmaxOptions(0.5)),
    "LEAKY_RELU": ({"alpha": 0.25}, o.LeakyReluOptions(0.25)),
    "STRIDED_SLICE": (
        {
            "begin_mask": 1,
            "end_mask": 2,
            "ellipsis_mask": 4,
            "new_axis_mask": 8,
            "shrink_axis_mask": 16,
            "offset": True,
        },
        o.StridedSliceOptions(1, 2, 4, 8, 16, offset=True),
    ),
    "SPLIT": ({"num_splits": 3}, o.SplitOptions(3)),
    "RESIZE_NEAREST_NEIGHBOR": (
        {"align_corners": True, "half_pixel_centers": True},
        o.ResizeOptions(align_corners=True, half_pixel_centers=True),
    ),
    "SQUEEZE": ({"squeeze_dims": [1, -1]}, o.SqueezeOptions((1, -1))),
    "PAD": ({}, None),
    "LOGISTIC": ({}, None),
    "GATHER": ({"axis": 1}, None),
}


def with_operator(kind: str, **options: object) -> Graph:
    builder = ModelBuilder()
    source = builder.input("int8", (1, 4), scale=1.0)
    output = builder.tensor("int8", (1, 4), scale=1.0)
    builder.operator(kind, [source], output, **options)  # type: ignore[arg-type]
    return parse_model(builder.build([output]), kind)


@pytest.mark.parametrize("kind", OPTIONS)
def test_every_option_is_read(kind: str) -> None:
    stored, expected = OPTIONS[kind]
    assert with_operator(kind, **stored).operators[0].options == expected


def test_missing_options_are_the_defaults_of_the_schema(model: bytes) -> None:
    broken = edited(model, operator_edit(CONV, builtinOptions=None, builtinOptionsType=0))
    assert parse_model(broken, "m").operators[CONV].options == o.Conv2DOptions(
        o.Padding.SAME, stride_h=0, stride_w=0
    )


def test_options_of_another_operator_are_ignored(model: bytes) -> None:
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 7.0
    edit = operator_edit(
        DENSE, builtinOptions=softmax, builtinOptionsType=schema.BuiltinOptions.SoftmaxOptions
    )
    options = parse_model(edited(model, edit), "m").operators[DENSE].options
    assert options == o.FullyConnectedOptions()


def operator_kind(**code: object) -> str:
    def edit(model: schema.ModelT) -> None:
        stored = model.operatorCodes[SOFTMAX]
        stored.builtinCode = stored.deprecatedBuiltinCode = 0
        for name, value in code.items():
            setattr(stored, name, value)

    return parse_model(edited(small_model(), edit), "m").operators[SOFTMAX].kind


def test_an_old_file_has_its_operator_in_the_old_field() -> None:
    assert operator_kind(deprecatedBuiltinCode=25) == "SOFTMAX"


def test_a_new_operator_is_in_the_new_field() -> None:
    assert operator_kind(deprecatedBuiltinCode=127, builtinCode=150) == "GELU"


def test_a_custom_operator_has_its_own_name() -> None:
    assert operator_kind(builtinCode=32, customCode="Detect") == "CUSTOM:Detect"


def test_a_custom_name_cannot_smuggle_control_codes() -> None:
    assert operator_kind(builtinCode=32, customCode="a\x1b[2J\nb") == "CUSTOM:a?[2J?b"


def test_an_unknown_operator_keeps_its_number() -> None:
    assert operator_kind(builtinCode=4000) == "UNKNOWN:4000"


def test_a_name_that_is_no_utf_8_is_made_printable() -> None:
    model = edited(small_model(), tensor_edit(LOGITS, name="l\x07gits"))
    broken = model.replace(b"l\x07gits", b"l\xffgits")
    assert parse_model(broken, "m").tensor(LOGITS).name == "l?gits"


def test_a_missing_name_is_empty(model: bytes) -> None:
    assert parse_model(edited(model, tensor_edit(LOGITS, name=None)), "m").tensor(LOGITS).name == ""


def test_an_absent_bias_is_minus_one(model: bytes) -> None:
    broken = edited(model, operator_edit(CONV, inputs=[PICTURE, FILTERS, -1]))
    assert parse_model(broken, "m").operators[CONV].inputs == (PICTURE, FILTERS, -1)


def test_an_absent_shape_is_a_scalar(model: bytes) -> None:
    scalar = parse_model(edited(model, tensor_edit(ANSWER, shape=None)), "m").tensor(ANSWER)
    assert (scalar.shape, scalar.elements, scalar.bytes) == ((), 1, 1)


def test_open_axes_are_kept_beside_the_shape(model: bytes) -> None:
    graph = parse_model(edited(model, tensor_edit(PICTURE, shapeSignature=[-1, 8, -1, 1])), "m")
    assert graph.tensor(PICTURE).dynamic_axes == (0, 2)


def test_an_empty_list_that_nothing_writes_is_a_constant() -> None:
    builder = ModelBuilder()
    source = builder.input("int8", (1, 1), scale=1.0)
    no_axes = builder.tensor("int32", (0,))
    output = builder.tensor("int8", (), scale=1.0)
    builder.operator("RESHAPE", [source, no_axes], output)
    graph = parse_model(builder.build([output]), "m")
    data = graph.tensor(no_axes).data
    assert data is not None
    assert (data.dtype, data.shape) == (np.int32, (0,))
    assert check(graph) == ()


@pytest.mark.parametrize(
    ("stored", "values"),
    [(b"\x21\xf8", [1, 2, -8, -1]), (b"\x70\x9a\xb3", [0, 7, -6, -7, 3])],
)
def test_int4_constants_are_two_values_a_byte_the_lower_half_first(
    stored: bytes, values: list[int]
) -> None:
    tensor = parse_model(int4_layer(len(values), stored), "m").tensor(1)
    assert tensor.data is not None
    assert (tensor.data.dtype, tensor.data.tolist()) == (np.int8, [values])
    assert not tensor.data.flags.writeable
    assert (tensor.bytes, tensor.stored_bytes) == (len(stored), len(stored))
    half = stored[:-1] + bytes([stored[-1] & 0x0F]) if len(values) % 2 else stored
    assert packed_int4(tensor.data).tobytes() == half


@pytest.mark.parametrize(("elements", "stored"), [(4, 1), (4, 4), (5, 2), (5, 5), (1, 2)])
def test_int4_constants_of_a_wrong_length_are_refused(elements: int, stored: int) -> None:
    with pytest.raises(InvalidModelError) as caught:
        parse_model(int4_layer(elements, bytes(stored)), "m")
    needed = f"{stored} bytes, int4[1x{elements}] needs {(elements + 1) // 2}"
    assert needed in str((caught.value.message, *caught.value.details))


def int4_layer(elements: int, stored: bytes) -> bytes:
    """A fully connected layer; its weights are tensor 1."""
    builder = ModelBuilder()
    source = builder.input("int8", (1, elements), scale=1.0)
    weights = builder.tensor("int4", (1, elements), scale=1.0, data=stored)
    output = builder.tensor("int8", (1, 1), scale=1.0)
    builder.operator("FULLY_CONNECTED", [source, weights], output)
    return builder.build([output])


def test_text_constants_stay_bytes() -> None:
    builder = ModelBuilder()
    text = builder.tensor("string", (1,), data=b"\x01\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00")
    source = builder.input("int8", (1, 1), scale=1.0)
    output = builder.tensor("int8", (1, 1), scale=1.0)
    builder.operator("CUSTOM", [source, text], output, custom_code="Lookup")
    tensor = parse_model(builder.build([output]), "m").tensor(text)
    assert tensor.data is not None
    assert (tensor.data.dtype, tensor.data.size) == (np.uint8, 12)


def test_a_type_the_schema_does_not_have_is_kept_as_other(model: bytes) -> None:
    assert parse_model(edited(model, tensor_edit(ANSWER, type=99)), "m").tensor(ANSWER).dtype is (
        DType.OTHER
    )


def test_every_type_of_the_schema_is_known() -> None:
    names = {name for name in vars(schema.TensorType) if name.isupper()}
    assert names == {dtype.name for dtype in DType} - {"OTHER"}


def test_a_sparse_constant_is_marked_and_stays_bytes(model: bytes) -> None:
    sparsity = schema.SparsityParametersT()
    tensor = parse_model(edited(model, tensor_edit(MATRIX, sparsity=sparsity)), "m").tensor(MATRIX)
    assert tensor.unusual == ("sparse",)
    assert tensor.data is not None
    assert tensor.data.ndim == 1


def appended(model: bytes, behind: bytes, size: int) -> bytes:
    """The model with the data of the dense layer's matrix behind the flatbuffer."""
    number = schema.ModelT.InitFromPackedBuf(model, 0).subgraphs[0].tensors[MATRIX].buffer
    offset = len(edited(model, lambda m: _outside(m, number, 2**32, size)))
    return edited(model, lambda m: _outside(m, number, offset, size)) + behind


def _outside(model: schema.ModelT, number: int, offset: int, size: int) -> None:
    model.buffers[number].data = None
    model.buffers[number].offset = offset
    model.buffers[number].size = size


def test_a_buffer_behind_the_flatbuffer_is_read(model: bytes) -> None:
    behind = bytes(range(64)) * 10
    data = parse_model(appended(model, behind, 640), "m").tensor(MATRIX).data
    assert data is not None
    assert (data.shape, data.tobytes()) == ((10, 64), behind)


def test_a_buffer_behind_the_end_of_the_file_is_refused(model: bytes) -> None:
    with pytest.raises(InvalidModelError, match=r"the file has \d+ bytes, buffer \d+ needs bytes"):
        parse_model(appended(model, bytes(639), 640), "m")


def test_bytes_behind_the_model_do_not_disturb(model: bytes) -> None:
    assert str(parse_model(model + b"PK\x03\x04 labels", "digits")) == str(
        parse_model(model, "digits")
    )


def test_only_the_first_subgraph_is_read(model: bytes) -> None:
    def edit(unpacked: schema.ModelT) -> None:
        other = schema.SubGraphT()
        other.tensors, other.operators, other.inputs, other.outputs = [], [], [], []
        unpacked.subgraphs.append(other)

    graph = parse_model(edited(model, edit), "digits")
    assert str(graph) == str(parse_model(model, "digits"))


def test_a_model_without_subgraph_is_refused(model: bytes) -> None:
    with pytest.raises(InvalidModelError, match="no subgraph"):
        parse_model(edited(model, lambda unpacked: setattr(unpacked, "subgraphs", [])), "m")


def test_a_schema_of_another_version_is_refused(model: bytes) -> None:
    with pytest.raises(InvalidModelError, match="schema version 2, needs 3"):
        parse_model(edited(model, lambda unpacked: setattr(unpacked, "version", 2)), "m")


def test_big_numbers_survive(model: bytes) -> None:
    broken = edited(model, quantization_edit(LOGITS, zeroPoint=[2**40]))
    quantization = parse_model(broken, "m").tensor(LOGITS).quantization
    assert quantization is not None
    assert quantization.zero_point == 2**40


def test_the_conv_bias_is_read_exactly(graph: Graph) -> None:
    data = graph.tensor(CONV_BIAS).data
    assert data is not None
    assert data.tobytes() == struct.pack("<4i", 1, -2, 3, -4)


def test_the_largest_model_is_read_and_checked_in_time() -> None:
    path = shared_model("vww_96_int8.tflite")
    read_model(path)
    start = time.perf_counter()
    problems = check(read_model(path))
    assert time.perf_counter() - start < 0.3
    assert problems == ()
