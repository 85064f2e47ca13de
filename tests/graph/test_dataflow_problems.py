"""A model whose parts do not fit together is refused, with every contradiction listed."""

import pytest
from model_builder import ModelBuilder
from small_models import (
    ANSWER,
    CONV,
    CONV_BIAS,
    DENSE,
    FEATURES,
    FILTERS,
    FLAT,
    LOGITS,
    MATRIX,
    PICTURE,
    RESHAPE,
    SHAPE,
    SOFTMAX,
    Edit,
    edited,
    operator_edit,
    option_edit,
    small_model,
    subgraph_edit,
    tensor_edit,
)

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph import parse_model


def contradictions(model: bytes) -> list[str]:
    with pytest.raises(InvalidModelError, match=r"^m: invalid model: ") as caught:
        parse_model(model, "m")
    assert caught.value.hint
    return list(caught.value.details)


def after(*edits: Edit) -> list[str]:
    """What is wrong with the small model after the edits, without the advice."""
    return [line.split("; ")[0] for line in contradictions(edited(small_model(), *edits))]


def test_an_input_beyond_the_tensors() -> None:
    assert after(operator_edit(CONV, inputs=[PICTURE, FILTERS, 10])) == [
        "layer 0 CONV_2D: input 2 is tensor 10 of 10"
    ]


def test_an_input_below_minus_one() -> None:
    assert after(operator_edit(CONV, inputs=[PICTURE, FILTERS, -2])) == [
        "layer 0 CONV_2D: input 2 is tensor -2 of 10"
    ]


def test_an_output_that_is_absent() -> None:
    assert after(operator_edit(SOFTMAX, outputs=[-1])) == [
        "layer 3 SOFTMAX: output 0 is tensor -1 of 10"
    ]


def test_an_input_and_an_output_of_the_model_beyond_the_tensors() -> None:
    assert after(subgraph_edit(inputs=[70], outputs=[-1])) == [
        "input 0 of the model is tensor 70 of 10",
        "output 0 of the model is tensor -1 of 10",
    ]


def test_an_operator_code_beyond_the_table() -> None:
    assert after(operator_edit(DENSE, opcodeIndex=9)) == [
        "layer 2 UNKNOWN: its operator code 9 is absent: the file has 4"
    ]


def test_a_buffer_beyond_the_table() -> None:
    assert after(tensor_edit(MATRIX, buffer=99)) == [
        "tensor 6 'tensor_6': its buffer 99 is absent: the file has 6"
    ]


def test_a_constant_with_too_little_data() -> None:
    assert after(tensor_edit(FILTERS, shape=[4, 3, 3, 2])) == [
        "tensor 1 'filters': its buffer has 36 bytes, int8[4x3x3x2] needs 72"
    ]


def test_a_constant_of_a_wider_type() -> None:
    assert after(tensor_edit(FILTERS, type=2)) == [
        "tensor 1 'filters': its buffer has 36 bytes, int32[4x3x3x1] needs 144"
    ]


def test_an_unknown_activation() -> None:
    assert after(option_edit(CONV, fusedActivationFunction=17)) == [
        "layer 0 CONV_2D: fused activation 17 is unknown"
    ]


def test_an_unknown_padding() -> None:
    assert after(option_edit(CONV, padding=-1)) == ["layer 0 CONV_2D: padding -1 is unknown"]


def test_a_value_that_nothing_writes() -> None:
    assert after(operator_edit(SOFTMAX, inputs=[ANSWER], outputs=[LOGITS])) == [
        "layer 3 SOFTMAX: writes tensor 7, which layer 2 FULLY_CONNECTED writes already",
        "layer 3 SOFTMAX: reads tensor 9, which nothing writes",
        "output 0 of the model, tensor 9, is never written",
    ]


def test_a_tensor_written_twice() -> None:
    assert after(operator_edit(DENSE, outputs=[FEATURES]))[0] == (
        "layer 2 FULLY_CONNECTED: writes tensor 3, which layer 0 CONV_2D writes already"
    )


def test_a_tensor_written_twice_by_one_layer() -> None:
    assert after(operator_edit(SOFTMAX, outputs=[ANSWER, ANSWER])) == [
        "layer 3 SOFTMAX: writes tensor 9, which layer 3 SOFTMAX writes already"
    ]


def test_a_layer_that_writes_a_constant() -> None:
    assert "layer 3 SOFTMAX: writes tensor 6, which is a constant" in after(
        operator_edit(SOFTMAX, outputs=[MATRIX])
    )


def test_a_layer_that_writes_an_input_of_the_model() -> None:
    assert "layer 3 SOFTMAX: writes tensor 0, which is an input of the model" in after(
        operator_edit(SOFTMAX, outputs=[PICTURE])
    )


def test_layers_in_the_wrong_order() -> None:
    def swap(model: object) -> None:
        operators = model.subgraphs[0].operators  # type: ignore[attr-defined]
        operators[DENSE], operators[RESHAPE] = operators[RESHAPE], operators[DENSE]

    assert after(swap) == [
        "layer 1 FULLY_CONNECTED: reads tensor 4, which layer 2 RESHAPE writes only later"
    ]


def test_layers_that_wait_for_each_other() -> None:
    assert after(operator_edit(RESHAPE, inputs=[LOGITS, SHAPE])) == [
        "layer 1 RESHAPE: reads tensor 7, which layer 2 FULLY_CONNECTED writes: "
        "the operators form a cycle"
    ]


def test_a_layer_that_reads_what_it_writes() -> None:
    assert after(operator_edit(RESHAPE, inputs=[FLAT, SHAPE])) == [
        "layer 1 RESHAPE: reads tensor 4, which layer 1 RESHAPE writes: the operators form a cycle"
    ]


def test_an_input_given_twice_and_one_that_is_a_constant() -> None:
    assert after(subgraph_edit(inputs=[PICTURE, PICTURE, CONV_BIAS])) == [
        "input 1 of the model, tensor 0, is an input already",
        "input 2 of the model, tensor 2, is a constant",
    ]


def test_an_output_that_nothing_writes() -> None:
    builder = ModelBuilder()
    source = builder.input("int8", (1, 4), scale=1.0)
    builder.operator("RELU", [source], builder.tensor("int8", (1, 4), scale=1.0))
    lost = builder.tensor("int8", (1, 4), scale=1.0)
    assert contradictions(builder.build([lost]))[0].startswith(
        "output 0 of the model, tensor 2, is never written"
    )


def test_a_variable_may_be_read_before_it_is_written() -> None:
    model = edited(
        small_model(),
        tensor_edit(LOGITS, isVariable=True),
        operator_edit(DENSE, outputs=[FEATURES + 100]),
    )
    assert not any("reads tensor 7" in line for line in contradictions(model))


def test_all_contradictions_are_listed_at_once() -> None:
    found = after(
        tensor_edit(FILTERS, shape=[4, 3, 3, 2]),
        tensor_edit(MATRIX, buffer=99),
        option_edit(CONV, padding=5),
        operator_edit(SOFTMAX, opcodeIndex=50),
        operator_edit(DENSE, inputs=[FLAT, MATRIX, 44]),
        subgraph_edit(outputs=[33]),
    )
    assert len(found) == 6


def test_the_message_tells_the_first_and_how_many_more() -> None:
    model = edited(small_model(), subgraph_edit(inputs=[70], outputs=[71]))
    with pytest.raises(InvalidModelError) as caught:
        parse_model(model, "m")
    assert caught.value.message == (
        "m: invalid model: input 0 of the model is tensor 70 of 10 (and 1 more)"
    )
