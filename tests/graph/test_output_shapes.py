"""The output shape of every operator follows from its inputs and options."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from model_builder import ModelBuilder

from tinyml_tool.graph import Graph, parse_model
from tinyml_tool.graph.operator_arity import arity_problems
from tinyml_tool.graph.shapes import KINDS_WITH_RULE, ShapeError, output_shapes


@dataclass
class Case:
    """An operator: shapes of its inputs, or a list of integers for an index tensor."""

    kind: str
    inputs: Sequence[tuple[int, ...] | list[int]]
    options: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1

    def __str__(self) -> str:
        inputs = " ".join(str(one).replace(" ", "") for one in self.inputs)
        options = " ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.kind} {inputs} {options}".strip()

    def graph(self, stored: Sequence[tuple[int, ...]] = ()) -> Graph:
        builder = ModelBuilder()
        inputs = [
            builder.constant(one, "int32")
            if isinstance(one, list)
            else builder.input("int8", one, scale=1.0)
            for one in self.inputs
        ]
        shapes = stored or [(1,)] * self.outputs
        outputs = [builder.tensor("int8", shape, scale=1.0) for shape in shapes]
        builder.operator(self.kind, inputs, outputs, **self.options)
        return parse_model(builder.build(outputs), "m")

    def shapes(self, stored: Sequence[tuple[int, ...]] = ()) -> tuple[tuple[int, ...], ...] | None:
        graph = self.graph(stored)
        assert not list(arity_problems(graph.operators[0]))
        return output_shapes(graph.operators[0], graph)


def window(padding: str, stride: int = 1, **more: int) -> dict[str, Any]:
    return {"padding": padding, "stride_h": stride, "stride_w": stride, **more}


FITTING = [
    (Case("CONV_2D", [(1, 49, 10, 1), (64, 10, 4, 1)], window("SAME", 2)), (1, 25, 5, 64)),
    (Case("CONV_2D", [(1, 9, 9, 3), (8, 3, 3, 3)], window("VALID", 2)), (1, 4, 4, 8)),
    (Case("CONV_2D", [(1, 3, 3, 3), (8, 3, 3, 3)], window("VALID")), (1, 1, 1, 8)),
    (
        Case(
            "CONV_2D",
            [(1, 9, 9, 3), (8, 3, 3, 3)],
            window("VALID", dilation_h_factor=2, dilation_w_factor=3),
        ),
        (1, 5, 3, 8),
    ),
    (Case("CONV_2D", [(1, 5, 5, 6), (4, 3, 3, 3)], window("SAME")), (1, 5, 5, 4)),
    (
        Case(
            "DEPTHWISE_CONV_2D",
            [(1, 6, 7, 4), (1, 3, 3, 8)],
            window("SAME", 2, depth_multiplier=2),
        ),
        (1, 3, 4, 8),
    ),
    (
        Case("AVERAGE_POOL_2D", [(1, 7, 7, 3)], window("SAME", 2, filter_height=3, filter_width=3)),
        (1, 4, 4, 3),
    ),
    (
        Case("MAX_POOL_2D", [(1, 7, 7, 3)], window("VALID", 3, filter_height=3, filter_width=2)),
        (1, 2, 2, 3),
    ),
    (Case("FULLY_CONNECTED", [(1, 2, 6), (5, 4)]), (3, 5)),
    (Case("FULLY_CONNECTED", [(1, 3, 4), (5, 4)], {"keep_num_dims": True}), (1, 3, 5)),
    (Case("ADD", [(1, 4, 1, 3), (2, 1)]), (1, 4, 2, 3)),
    (Case("SUB", [(), (1, 3)]), (1, 3)),
    (Case("MUL", [(2, 3), (2, 3)]), (2, 3)),
    (Case("MAXIMUM", [(1, 3), (5, 1)]), (5, 3)),
    (Case("MINIMUM", [(3,), (1,)]), (3,)),
    (Case("MEAN", [(1, 4, 5, 6), [1, -2]]), (1, 6)),
    (Case("MEAN", [(1, 4, 5, 6), [1, 2]], {"keep_dims": True}), (1, 1, 1, 6)),
    (Case("MEAN", [(4, 5), [0, 1]]), ()),
    (Case("SQUEEZE", [(1, 3, 1, 2)]), (3, 2)),
    (Case("SQUEEZE", [(1, 3, 1, 2)], {"squeeze_dims": [-2]}), (1, 3, 2)),
    (Case("EXPAND_DIMS", [(3, 2), [-1]]), (3, 2, 1)),
    (Case("EXPAND_DIMS", [(3, 2), [0]]), (1, 3, 2)),
    (Case("CONCATENATION", [(1, 2, 3), (1, 5, 3), (1, 1, 3)], {"axis": 1}), (1, 8, 3)),
    (Case("CONCATENATION", [(1, 2), (1, 3)], {"axis": -1}), (1, 5)),
    (Case("TRANSPOSE", [(2, 3, 4), [2, 0, 1]]), (4, 2, 3)),
    (Case("PAD", [(1, 3), [0, 0, 1, 2]]), (1, 6)),
    (Case("PADV2", [(1, 3), [0, 0, 1, 2], ()]), (1, 6)),
    (Case("ARG_MAX", [(1, 4, 5), [-1]]), (1, 4)),
    (Case("RESIZE_NEAREST_NEIGHBOR", [(1, 4, 5, 3), [7, 9]]), (1, 7, 9, 3)),
    (Case("STRIDED_SLICE", [(4, 6), [1, -4], [4, 6], [2, 3]]), (2, 2)),
    (Case("STRIDED_SLICE", [(4, 6), [3, 5], [0, 0], [-1, -2]]), (3, 3)),
    (Case("STRIDED_SLICE", [(4, 6), [1], [100], [1]]), (3, 6)),
    (
        Case(
            "STRIDED_SLICE",
            [(4, 6), [1, 1], [2, 3], [1, 1]],
            {"begin_mask": 1, "end_mask": 2, "shrink_axis_mask": 0},
        ),
        (2, 5),
    ),
    (
        Case("STRIDED_SLICE", [(4, 6), [-1, 0], [0, 6], [1, 1]], {"shrink_axis_mask": 1}),
        (6,),
    ),
    (Case("STRIDED_SLICE", [(4, 6), [1, 2], [2, 3], [1, 1]], {"offset": True}), (2, 3)),
    *((Case(kind, [(1, 4, 2)]), (1, 4, 2)) for kind in ("SOFTMAX", "LOGISTIC", "TANH", "RELU")),
    *((Case(kind, [(3,)]), (3,)) for kind in ("RELU6", "LEAKY_RELU", "HARD_SWISH", "QUANTIZE")),
    (Case("DEQUANTIZE", [()]), ()),
]


@pytest.mark.parametrize(("case", "expected"), FITTING, ids=[str(case) for case, _ in FITTING])
def test_the_shape_follows(case: Case, expected: tuple[int, ...]) -> None:
    assert case.shapes() == (expected,)


def test_every_part_of_a_split_has_the_same_shape() -> None:
    assert Case("SPLIT", [[1], (2, 6)], {"num_splits": 3}, outputs=3).shapes() == ((2, 2),) * 3


def test_a_reshape_takes_the_shape_that_the_file_gives() -> None:
    assert Case("RESHAPE", [(2, 6)]).shapes([(3, 4)]) == ((3, 4),)


def test_a_dense_layer_may_keep_leading_axes_without_saying_so() -> None:
    assert Case("FULLY_CONNECTED", [(1, 3, 4), (5, 4)]).shapes([(1, 3, 5)]) == ((1, 3, 5),)


CONTRADICTORY = [
    (Case("CONV_2D", [(1, 9, 9), (8, 3, 3, 3)], window("SAME")), "input 1x9x9 has rank 3"),
    (Case("CONV_2D", [(1, 9, 9, 3), (8, 27)], window("SAME")), "weights 8x27 has rank 2"),
    (Case("CONV_2D", [(1, 9, 9, 3), (8, 3, 3, 2)], window("SAME")), "for a divisor of that"),
    (Case("CONV_2D", [(1, 9, 9, 4), (3, 3, 3, 2)], window("SAME")), "do not divide into 2 groups"),
    (Case("CONV_2D", [(1, 2, 9, 3), (8, 3, 3, 3)], window("VALID")), "does not fit into 2"),
    (Case("CONV_2D", [(1, 9, 9, 3), (8, 3, 3, 3), (7,)], window("SAME")), "7 values for 8"),
    (
        Case("DEPTHWISE_CONV_2D", [(1, 6, 6, 4), (1, 3, 3, 6)], window("SAME", depth_multiplier=1)),
        "do not fit 4 input channels",
    ),
    (
        Case("DEPTHWISE_CONV_2D", [(1, 6, 6, 4), (2, 3, 3, 4)], window("SAME", depth_multiplier=1)),
        "do not fit 4 input channels",
    ),
    (
        Case("MAX_POOL_2D", [(1, 7, 7, 3)], window("SAME", filter_height=0, filter_width=3)),
        "filter 0x3",
    ),
    (Case("FULLY_CONNECTED", [(1, 7), (5, 4)]), "is not rows of 4 values"),
    (Case("FULLY_CONNECTED", [(1, 4), (5, 4, 1)]), "rank 3, needs 2"),
    (Case("FULLY_CONNECTED", [(1, 4), (5, 4), (4,)]), "4 values for 5 units"),
    (Case("ADD", [(1, 3), (1, 4)]), "inputs 1x3 and 1x4 do not broadcast"),
    (Case("MEAN", [(1, 4), [2]]), "axis 2 does not exist"),
    (Case("SOFTMAX", [()]), "is a scalar"),
    (Case("RESHAPE", [(2, 6)]), "12 elements, output 1 has 1"),
    (Case("SQUEEZE", [(1, 3)], {"squeeze_dims": [1]}), "has not the length 1"),
    (Case("SQUEEZE", [(1, 3)], {"squeeze_dims": [5]}), "axis 5 does not exist"),
    (Case("EXPAND_DIMS", [(3,), [2]]), "axis 2 does not exist"),
    (Case("EXPAND_DIMS", [(3,), [0, 1]]), "2 values, needs 1"),
    (Case("CONCATENATION", [(1, 2), (2, 2)], {"axis": 1}), "do not join along axis 1"),
    (Case("CONCATENATION", [(1, 2), (1, 2, 1)], {"axis": 0}), "do not join along axis 0"),
    (Case("CONCATENATION", [(1, 2)], {"axis": 2}), "axis 2 does not exist"),
    (Case("SPLIT", [[1], (2, 7)], {"num_splits": 3}, outputs=3), "does not divide into 3"),
    (Case("SPLIT", [[1], (2, 6)], {"num_splits": 3}, outputs=2), "3 parts, but 2 outputs"),
    (Case("TRANSPOSE", [(2, 3), [0, 0]]), "is no permutation"),
    (Case("PAD", [(1, 3), [0, 0]]), "2 paddings for rank 2, needs 4"),
    (Case("PAD", [(1, 3), [0, 0, -1, 0]]), "padding -1 is negative"),
    (Case("PAD", [(1, 3), (4,)]), "paddings are int8, must be int32"),
    (Case("ARG_MAX", [(1, 3), [3]]), "axis 3 does not exist"),
    (Case("RESIZE_NEAREST_NEIGHBOR", [(1, 4, 5, 3), [7, 0]]), "the new size is [7, 0]"),
    (Case("RESIZE_NEAREST_NEIGHBOR", [(1, 4, 5), [7, 9]]), "rank 3, needs 4"),
    (Case("STRIDED_SLICE", [(4,), [0], [4], [0]]), "the stride of axis 0 is 0"),
    (Case("STRIDED_SLICE", [(4,), [3], [1], [1]]), "is empty"),
    (Case("STRIDED_SLICE", [(4,), [4], [5], [1]], {"shrink_axis_mask": 1}), "outside its 4 values"),
    (Case("STRIDED_SLICE", [(4,), [0, 0], [1, 1], [1, 1]]), "for an input of rank 1"),
]


@pytest.mark.parametrize(("case", "cause"), CONTRADICTORY, ids=[str(c) for c, _ in CONTRADICTORY])
def test_what_does_not_fit_is_told(case: Case, cause: str) -> None:
    with pytest.raises(ShapeError) as caught:
        case.shapes()
    assert cause in str(caught.value)


def computed_index(kind: str, inputs: Sequence[tuple[int, ...]], index: int) -> Graph:
    """The operator with its index tensor not a constant but an input of the model."""
    builder = ModelBuilder()
    tensors = [
        builder.input("int32" if place >= index else "int8", shape)
        for place, shape in enumerate(inputs)
    ]
    output = builder.tensor("int8", (1,))
    builder.operator(kind, tensors, output)
    return parse_model(builder.build([output]), "m")


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("MEAN", [(1, 4), (1,)]),
        ("ARG_MAX", [(1, 4), (1,)]),
        ("PAD", [(1, 4), (2, 2)]),
        ("TRANSPOSE", [(1, 4), (2,)]),
        ("EXPAND_DIMS", [(1, 4), (1,)]),
        ("RESIZE_NEAREST_NEIGHBOR", [(1, 4, 4, 1), (2,)]),
        ("STRIDED_SLICE", [(4,), (1,), (1,), (1,)]),
    ],
)
def test_index_tensors_computed_at_run_time_leave_the_shape_open(
    kind: str, inputs: Sequence[tuple[int, ...]]
) -> None:
    graph = computed_index(kind, inputs, 1)
    assert output_shapes(graph.operators[0], graph) is None


@pytest.mark.parametrize("mask", ["ellipsis_mask", "new_axis_mask"])
def test_a_slice_with_moving_axes_is_left_open(mask: str) -> None:
    assert Case("STRIDED_SLICE", [(4,), [0], [4], [1]], {mask: 1}).shapes() is None


def test_an_operator_without_rule_is_left_open() -> None:
    assert Case("CUMSUM", [(4,), [0]]).shapes() is None


def test_every_rule_is_tested() -> None:
    assert {case.kind for case, _ in (*FITTING, *CONTRADICTORY)} == KINDS_WITH_RULE
