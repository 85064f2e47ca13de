"""The costs of layers are counted exactly."""

import pytest
from ai_edge_litert import schema_py_generated as schema
from model_builder import ModelBuilder
from shared import shared_model
from small_models import (
    CONV,
    DENSE,
    PICTURE,
    RESHAPE,
    SOFTMAX,
    edited,
    operator_edit,
    small_model,
    tensor_edit,
)

from tinyml_tool.graph import (
    Graph,
    activation_bytes,
    macs,
    parse_model,
    peak_activation_bytes,
    read_model,
    total_macs,
    total_weight_bytes,
    weight_bytes,
)

OFFICIAL_MACS = {
    "kws_ref_model.tflite": 2_656_768,
    "vww_96_int8.tflite": 7_489_664,
    "pretrainedResnet_quant.tflite": 12_501_632,
    "ad01_int8.tflite": 264_192,
}

# The largest sum of a layer's input and output, worked out by hand from the networks' shapes.
PEAKS = {
    "kws_ref_model.tflite": 2 * 25 * 5 * 64,
    "vww_96_int8.tflite": 48 * 48 * (8 + 16),
    "pretrainedResnet_quant.tflite": 3 * 32 * 32 * 16,
    "ad01_int8.tflite": 640 + 128,
}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return parse_model(small_model(), "digits")


@pytest.mark.parametrize(("name", "expected"), OFFICIAL_MACS.items(), ids=OFFICIAL_MACS)
def test_the_multiply_accumulates_of_a_benchmark_model(name: str, expected: int) -> None:
    assert total_macs(read_model(shared_model(name))) == expected


@pytest.mark.parametrize(("name", "expected"), PEAKS.items(), ids=PEAKS)
def test_the_peak_of_a_benchmark_model(name: str, expected: int) -> None:
    assert peak_activation_bytes(read_model(shared_model(name))) == expected


def test_multiply_accumulates_layer_by_layer(graph: Graph) -> None:
    assert [macs(op, graph) for op in graph.operators] == [4 * 4 * 4 * 3 * 3, 0, 640, 0]


def test_weights_are_all_constants_of_a_layer(graph: Graph) -> None:
    counts = [weight_bytes(op, graph) for op in graph.operators]
    assert counts == [4 * 3 * 3 + 4 * 4, 2 * 4, 640 + 10 * 4, 0]


def test_activations_are_inputs_and_outputs(graph: Graph) -> None:
    counts = [activation_bytes(op, graph) for op in graph.operators]
    assert counts == [64 + 64, 64 + 64, 64 + 10, 20]


def test_the_peak_counts_a_reshaped_tensor_once() -> None:
    builder = ModelBuilder()
    source = builder.input("int8", (1, 10), scale=1.0)
    wide = builder.tensor("int8", (1, 1000), scale=1.0)
    builder.operator("CUSTOM", [source], wide, custom_code="Widen")
    flat = builder.operator("RESHAPE", [wide], builder.tensor("int8", (10, 100), scale=1.0))
    last = builder.tensor("int8", (1, 20), scale=1.0)
    builder.operator("CUSTOM", [flat], last, custom_code="Narrow")
    assert peak_activation_bytes(parse_model(builder.build([last]), "m")) == 1000 + 20


def one_layer(kind: str, *inputs: tuple[int, ...], output: tuple[int, ...]) -> int:
    builder = ModelBuilder()
    sources = [builder.input("int8", shape) for shape in inputs]
    result = builder.tensor("int8", output)
    builder.operator(kind, sources, result)
    graph = parse_model(builder.build([result]), "m")
    return macs(graph.operators[0], graph)


def test_a_grouped_convolution_multiplies_less() -> None:
    assert one_layer("CONV_2D", (1, 5, 5, 6), (4, 3, 3, 3), output=(1, 5, 5, 4)) == 100 * 27


def test_a_depthwise_convolution_with_multiplier() -> None:
    count = one_layer("DEPTHWISE_CONV_2D", (1, 5, 5, 2), (1, 3, 3, 6), output=(1, 5, 5, 6))
    assert count == 150 * 9


def test_a_dense_layer_with_rows() -> None:
    assert one_layer("FULLY_CONNECTED", (3, 4), (5, 4), output=(3, 5)) == 60


def test_a_transposed_convolution() -> None:
    shapes = [(4,), (5, 3, 3, 2), (1, 8, 8, 2)]
    assert one_layer("TRANSPOSE_CONV", *shapes, output=(1, 16, 16, 5)) == 128 * 45


def test_a_pool_multiplies_nothing() -> None:
    assert one_layer("AVERAGE_POOL_2D", (1, 4, 4, 2), output=(1, 1, 1, 2)) == 0


def test_shared_weights_count_once_in_the_total() -> None:
    builder = ModelBuilder()
    value = builder.input("int8", (1, 8), scale=1.0)
    shared = builder.constant([[3] * 8], "int8", scale=1.0)
    for _ in range(3):
        value = builder.operator("ADD", [value, shared], builder.tensor("int8", (1, 8), scale=1.0))
    graph = parse_model(builder.build([value]), "m")
    assert [weight_bytes(op, graph) for op in graph.operators] == [8, 8, 8]
    assert total_weight_bytes(graph) == 8


def test_a_tensor_read_twice_by_a_layer_counts_once() -> None:
    builder = ModelBuilder()
    value = builder.input("int8", (1, 8), scale=1.0)
    total = builder.tensor("int8", (1, 8), scale=1.0)
    builder.operator("ADD", [value, value], total)
    graph = parse_model(builder.build([total]), "m")
    assert activation_bytes(graph.operators[0], graph) == 16


def test_a_tensor_needed_later_is_alive_in_between() -> None:
    builder = ModelBuilder()
    first = builder.input("int8", (1, 10), scale=1.0)
    value = first
    for width in (100, 1000):
        matrix = builder.tensor("int8", (width, 1), scale=1.0, data=bytes(width))
        output = builder.tensor("int8", (1, width), scale=1.0)
        value = builder.operator("CUSTOM", [value, matrix], output, custom_code="Widen")
    total = builder.tensor("int8", (1, 1000), scale=1.0)
    builder.operator("CUSTOM", [value, first], total, custom_code="Join")
    graph = parse_model(builder.build([total]), "m")
    assert peak_activation_bytes(graph) == 10 + 1000 + 1000


def test_outputs_of_the_model_stay_alive_to_the_end() -> None:
    builder = ModelBuilder()
    source = builder.input("int8", (1, 10), scale=1.0)
    early = builder.operator("RELU", [source], builder.tensor("int8", (1, 10), scale=1.0))
    late = builder.operator("RELU", [source], builder.tensor("int8", (1, 10), scale=1.0))
    last = builder.operator("RELU", [late], builder.tensor("int8", (1, 10), scale=1.0))
    graph = parse_model(builder.build([early, last]), "m")
    assert peak_activation_bytes(graph) == 30


@pytest.mark.parametrize("layer", [CONV, RESHAPE, DENSE, SOFTMAX])
def test_a_layer_that_makes_no_sense_costs_something_or_nothing(layer: int) -> None:
    broken = parse_model(edited(small_model(), operator_edit(layer, inputs=[-1])), "m")
    assert macs(broken.operators[layer], broken) == 0
    assert peak_activation_bytes(broken) > 0


def test_an_open_batch_costs_nothing() -> None:
    broken = parse_model(edited(small_model(), tensor_edit(PICTURE, shape=[-1, 8, 8, 1])), "m")
    assert activation_bytes(broken.operators[CONV], broken) == 64


def test_a_type_without_size_costs_nothing() -> None:
    resource = tensor_edit(PICTURE, type=schema.TensorType.RESOURCE)
    broken = parse_model(edited(small_model(), resource), "m")
    assert activation_bytes(broken.operators[CONV], broken) == 64
