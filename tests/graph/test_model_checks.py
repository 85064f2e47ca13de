"""A well-formed model that makes no sense is told all that is wrong with it."""

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
    DENSE_BIAS,
    FEATURES,
    FILTERS,
    FLAT,
    LOGITS,
    MATRIX,
    PICTURE,
    RESHAPE,
    SOFTMAX,
    Edit,
    edited,
    operator_edit,
    option_edit,
    quantization_edit,
    small_model,
    subgraph_edit,
    tensor_edit,
)

from tinyml_tool.graph import Problem, check, parse_model, read_model

INT8_MODELS = [
    "ad01_int8.tflite",
    "hello_world_int8.tflite",
    "kws_ref_model.tflite",
    "person_detect.tflite",
    "pretrainedResnet_quant.tflite",
    "vww_96_int8.tflite",
]


def problems(*edits: Edit) -> tuple[Problem, ...]:
    return check(parse_model(edited(small_model(), *edits), "m"))


def only_problem(*edits: Edit) -> Problem:
    (problem,) = problems(*edits)
    assert problem.fix
    return problem


@pytest.mark.parametrize("name", INT8_MODELS)
def test_a_real_model_has_no_problems(name: str) -> None:
    assert check(read_model(shared_model(name))) == ()


def test_the_small_model_has_no_problems() -> None:
    assert problems() == ()


def test_a_problem_reads_as_one_line() -> None:
    problem = Problem("layer 3 CONV_2D", "dilation 2x1 is not supported", "use equal dilation")
    assert str(problem) == "layer 3 CONV_2D: dilation 2x1 is not supported; use equal dilation"


def test_a_problem_of_the_whole_model_names_no_layer() -> None:
    assert str(Problem(None, "the model is float", "")) == "the model is float"


# The whole model.


def test_a_batch_above_one() -> None:
    found = problems(tensor_edit(PICTURE, shape=[8, 8, 8, 1]))
    assert found[0].cause == "input 0 of the model (tensor 0 'picture') has a batch of 8"
    assert found[0].fix == "convert the model with a fixed batch of 1"


def test_rows_that_are_no_batch_are_fine() -> None:
    builder = ModelBuilder()
    source = builder.input("int8", (49, 10), scale=1.0)
    output = builder.tensor("int8", (49, 10), scale=1.0)
    builder.operator("RELU", [source], output)
    assert check(parse_model(builder.build([output]), "m")) == ()


def test_an_open_batch_of_which_one_is_assumed_is_fine() -> None:
    assert problems(tensor_edit(PICTURE, shapeSignature=[-1, 8, 8, 1])) == ()


def test_a_dynamic_batch() -> None:
    problem = only_problem(tensor_edit(PICTURE, shape=[-1, 8, 8, 1]))
    assert problem.layer == "layer 0 CONV_2D"
    assert "dynamic batch" in problem.cause
    assert problem.fix == "convert the model with a fixed batch of 1"


def test_contradictory_shapes_under_an_open_batch_are_a_dynamic_batch() -> None:
    problem = only_problem(
        tensor_edit(PICTURE, shapeSignature=[-1, 8, 8, 1]),
        tensor_edit(FLAT, shape=[1, 1], shapeSignature=[-1, -1]),
        operator_edit(DENSE, inputs=[FEATURES, MATRIX, DENSE_BIAS]),
    )
    assert problem.layer == "layer 1 RESHAPE"
    assert problem.cause.startswith("dynamic batch: input 1x4x4x4 has 64 elements, output 1x1")
    assert problem.fix == "convert the model with a fixed batch of 1"


def test_an_open_axis_beside_the_batch() -> None:
    found = problems(tensor_edit(PICTURE, shape=[1, 1, 8, 1], shapeSignature=[-1, -1, 8, 1]))
    assert found[0].cause == (
        "input 0 of the model (tensor 0 'picture') has no fixed length in axis 1"
    )
    assert found[0].fix == "convert the model with a fixed input shape"


def test_a_model_without_layers() -> None:
    found = problems(subgraph_edit(operators=[], outputs=[PICTURE]))
    assert [problem.cause for problem in found] == ["the model has no layers"]


def test_a_model_without_inputs_and_outputs() -> None:
    model = edited(small_model(), subgraph_edit(outputs=[]), tensor_edit(PICTURE, isVariable=True))
    found = check(parse_model(edited(model, subgraph_edit(inputs=[])), "m"))
    assert [problem.cause for problem in found if not problem.layer] == [
        "the model has no inputs",
        "the model has no outputs",
    ]


def test_an_input_that_no_layer_reads_is_checked_too() -> None:
    builder = ModelBuilder()
    source = builder.input("int8", (1, 4), scale=1.0)
    builder.input("int8", (1, 4), scale=-1.0, name="unused")
    output = builder.tensor("int8", (1, 4), scale=1.0)
    builder.operator("RELU", [source], output)
    (problem,) = check(parse_model(builder.build([output]), "m"))
    assert str(problem).startswith("tensor 1 'unused': its scale -1.0 is not a positive number")


# Single tensors.


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (tensor_edit(ANSWER, type=99), "its type is unknown"),
        (tensor_edit(ANSWER, type=schema.TensorType.VARIANT), "variant has no fixed size"),
        (tensor_edit(ANSWER, isVariable=True), "it is a variable"),
        (tensor_edit(ANSWER, shape=[1, 0]), "axis 1 has the length 0"),
        (tensor_edit(ANSWER, shape=[1, -1]), "axis 1 has no fixed length"),
        (tensor_edit(ANSWER, shape=[1, -7]), "axis 1 has the length -7"),
        (tensor_edit(MATRIX, sparsity=schema.SparsityParametersT()), "it is sparse"),
        (tensor_edit(MATRIX, externalBuffer=3), "it is kept in another file"),
    ],
)
def test_a_tensor_that_no_engine_can_hold(edit: Edit, cause: str) -> None:
    assert cause in only_problem(edit).cause


def test_a_tensor_of_too_many_axes() -> None:
    found = problems(tensor_edit(FLAT, shape=[1, 1, 1, 1, 1, 1, 64]))
    assert [problem.layer for problem in found] == ["layer 1 RESHAPE"]
    assert "rank 7 is above 6" in found[0].cause


def test_a_constant_of_too_many_axes_is_survived() -> None:
    found = problems(tensor_edit(MATRIX, shape=[10, *[1] * 30, 64]))
    assert "rank 32 is above 6" in found[0].cause


def test_a_tensor_beyond_all_memory() -> None:
    found = problems(tensor_edit(FEATURES, shape=[1, 2**20, 2**20, 2**20]))
    assert f"it has {2**60} bytes" in found[0].cause


def test_a_tensor_is_reported_once_at_the_layer_that_has_it_first() -> None:
    problem = only_problem(tensor_edit(FEATURES, isVariable=True))
    assert problem.layer == "layer 0 CONV_2D"
    assert problem.cause.startswith("output 0 (tensor 3 'features'): ")


def test_constants_that_are_not_finite() -> None:
    builder = ModelBuilder()
    source = builder.input("float32", (1, 4))
    values = builder.constant(np.array([[1.0, np.nan, np.inf, -np.inf]], np.float32))
    output = builder.tensor("float32", (1, 4))
    builder.operator("ADD", [source, values], output)
    causes = [problem.cause for problem in check(parse_model(builder.build([output]), "m"))]
    assert "input 1 (tensor 1 'tensor_1'): 3 of its 4 values are not finite" in causes


# Quantization.


@pytest.mark.parametrize("scale", [0.0, -0.5, float("nan"), float("inf")])
def test_a_scale_that_is_no_positive_number(scale: float) -> None:
    causes = [problem.cause for problem in problems(quantization_edit(LOGITS, scale=[scale]))]
    assert f"output 0 (tensor 7 'logits'): its scale {scale} is not a positive number" in causes


def test_many_bad_scales_are_one_problem() -> None:
    problem = only_problem(quantization_edit(FILTERS, scale=[0.1, 0.0, 0.2, -1.0]))
    assert problem.cause.endswith("its scale 0.0 is not a positive number (2 such)")


@pytest.mark.parametrize("zero_point", [-129, 128, 2**40])
def test_a_zero_point_outside_int8(zero_point: int) -> None:
    problem = only_problem(quantization_edit(LOGITS, zeroPoint=[zero_point]))
    assert f"its zero point {zero_point} is outside int8 (-128 to 127)" in problem.cause


@pytest.mark.parametrize("quantization", [None, schema.QuantizationParametersT()])
def test_an_int8_tensor_without_quantization(quantization: object) -> None:
    found = problems(tensor_edit(ANSWER, quantization=quantization))
    assert [str(problem).split("; ")[0] for problem in found] == [
        "layer 3 SOFTMAX: int8 tensor 9 'answer' has no scale or zero point"
    ]


def test_a_scale_without_zero_point() -> None:
    found = problems(quantization_edit(ANSWER, zeroPoint=[]))
    assert "it has 1 scales and 0 zero points" in found[0].cause


def test_a_layer_that_only_moves_values_needs_no_quantization() -> None:
    builder = ModelBuilder()
    source = builder.input("int8", (1, 4))
    output = builder.tensor("int8", (1, 2, 2))
    builder.operator("RESHAPE", [source], output)
    assert check(parse_model(builder.build([output]), "m")) == ()


def test_scales_that_do_not_match_the_channels() -> None:
    problem = only_problem(quantization_edit(FILTERS, scale=[0.1, 0.2, 0.3], zeroPoint=[0, 0, 0]))
    assert problem.cause.endswith("it has 3 scales for 4 channels")


def test_zero_points_that_do_not_match_the_scales() -> None:
    problem = only_problem(quantization_edit(FILTERS, zeroPoint=[0, 0]))
    assert problem.cause.endswith("it has 4 scales and 2 zero points")


def test_weights_quantized_along_the_wrong_axis() -> None:
    found = problems(quantization_edit(FILTERS, quantizedDimension=3))
    assert [problem.cause for problem in found] == [
        "input 1 (tensor 1 'filters'): it has 4 scales for 1 channels",
        "weights are quantized along axis 3, must be along axis 0",
    ]


def test_an_axis_that_the_tensor_does_not_have() -> None:
    found = problems(quantization_edit(FILTERS, quantizedDimension=4))
    assert "it is quantized along axis 4, but its rank is 4" in found[0].cause


def test_activations_quantized_per_channel() -> None:
    found = problems(
        quantization_edit(FEATURES, scale=[0.1] * 4, zeroPoint=[0] * 4, quantizedDimension=3)
    )
    assert "it is quantized per channel, which only constants can be" in found[0].cause


def test_dense_weights_may_have_one_zero_point() -> None:
    assert not problems(quantization_edit(MATRIX, zeroPoint=[5]))


def test_filters_with_a_zero_point() -> None:
    problem = only_problem(quantization_edit(FILTERS, zeroPoint=[5]))
    assert problem.layer == f"layer {CONV} CONV_2D"
    assert problem.cause == "weights have zero point 5, must have 0"


def test_weights_quantized_by_another_scheme() -> None:
    details = schema.BlockwiseQuantizationT()
    problem = only_problem(
        quantization_edit(
            MATRIX,
            details=details,
            detailsType=schema.QuantizationDetails.BlockwiseQuantization,
        )
    )
    assert "quantized by another scheme" in problem.cause


# The dense layer has input scale 0.05, weight scale 0.02, output scale 0.1.
@pytest.mark.parametrize("bias_scale", [0.001, 0.0029, 0.0000001])
def test_a_bias_scale_within_tolerance(bias_scale: float) -> None:
    assert problems(quantization_edit(DENSE_BIAS, scale=[bias_scale])) == ()


def test_a_bias_scale_beyond_tolerance() -> None:
    problem = only_problem(quantization_edit(DENSE_BIAS, scale=[0.0031]))
    assert problem.cause == (
        "bias has scale 0.0031, must have about 0.001 (input scale * weight scale)"
    )


def test_a_bias_without_scale_beyond_tolerance() -> None:
    found = problems(
        tensor_edit(DENSE_BIAS, quantization=None), quantization_edit(MATRIX, scale=[2.0])
    )
    assert [problem.cause for problem in found] == [
        "bias has scale 0, must have about 0.1 (input scale * weight scale)"
    ]


def test_the_bias_scales_of_an_int8_convolution_are_not_restricted() -> None:
    assert problems(quantization_edit(CONV_BIAS, scale=[9.0] * 4)) == ()


# Operators.


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (operator_edit(CONV, inputs=[PICTURE]), "has 1 inputs, needs 2 to 3"),
        (operator_edit(CONV, inputs=[-1, FILTERS, CONV_BIAS]), "input 0 is absent"),
        (operator_edit(SOFTMAX, inputs=[LOGITS, LOGITS]), "has 2 inputs, needs 1"),
        (operator_edit(SOFTMAX, inputs=[]), "has 0 inputs, needs 1"),
        (option_edit(CONV, strideH=0), "strides 0x2 must be at least 1x1"),
        (option_edit(CONV, dilationWFactor=-1), "dilation 1x-1 must be at least 1x1"),
        (option_edit(SOFTMAX, beta=float("nan")), "beta is nan, must be positive"),
        (tensor_edit(FEATURES, shape=[1, 4, 4, 5]), "output is 1x4x4x5, but inputs and options"),
        (operator_edit(DENSE, inputs=[FEATURES, MATRIX, CONV_BIAS]), "has 4 values for 10 units"),
    ],
)
def test_an_operator_that_does_not_fit_together(edit: Edit, cause: str) -> None:
    assert cause in problems(edit)[0].cause


def test_an_operator_without_outputs() -> None:
    found = problems(operator_edit(SOFTMAX, outputs=[]), subgraph_edit(outputs=[LOGITS]))
    assert [problem.cause for problem in found] == ["has 0 outputs, needs 1"]


def test_a_missing_bias_is_fine() -> None:
    assert problems(operator_edit(CONV, inputs=[PICTURE, FILTERS, -1])) == ()
    assert problems(operator_edit(DENSE, inputs=[FLAT, MATRIX])) == ()


def test_an_unknown_operator_is_no_concern_of_the_checks() -> None:
    def edit(model: schema.ModelT) -> None:
        model.operatorCodes[RESHAPE].builtinCode = 4000

    assert problems(edit) == ()


def test_all_problems_are_listed_in_the_order_of_the_layers() -> None:
    found = problems(
        quantization_edit(PICTURE, zeroPoint=[300]),
        option_edit(CONV, strideW=0),
        tensor_edit(FLAT, isVariable=True),
        quantization_edit(DENSE_BIAS, scale=[7.0]),
        quantization_edit(ANSWER, scale=[-1.0]),
    )
    assert [problem.layer for problem in found] == [
        "layer 0 CONV_2D",
        "layer 0 CONV_2D",
        "layer 1 RESHAPE",
        "layer 2 FULLY_CONNECTED",
        "layer 3 SOFTMAX",
    ]
