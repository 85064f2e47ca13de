from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_builder import ModelBuilder

from tinyml_tool.errors import ExitCode, MismatchError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import DType, Graph, Operator, Tensor
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.inputs import vectors
from tinyml_tool.verify.parity import Difference, Parity, Place, compare, require_agreement
from tinyml_tool.verify.rounding import deviations

# Layer 0: ADD of tensors 0 and 1 into 2; layer 1: SPLIT of 2 into 3 and 4; outputs 4 and 3.
SHAPES = {2: (2, 6), 3: (2, 3), 4: (2, 3)}
GRAPH = Graph(
    "case",
    (
        *(Tensor(i, f"t{i}", (2, 6), DType.INT8) for i in range(3)),
        *(Tensor(i, f"t{i}", (2, 3), DType.INT8) for i in (3, 4)),
    ),
    (Operator(0, "ADD", (0, 1), (2,)), Operator(1, "SPLIT", (2,), (3, 4))),
    (0, 1),
    (4, 3),
    "00",
)
VECTORS = 3
Values = dict[int, Any]


@dataclass
class Recorded:
    """A runner that plays back what was recorded, one inference after the other."""

    layers: list[Values]
    outputs: list[list[Any]]
    layer_runs: int = 0
    output_runs: int = 0
    seen: list[Any] = field(default_factory=list)

    def run_layers(self, inputs: Sequence[Any]) -> Values:
        self.seen.append(inputs)
        self.layer_runs += 1
        return self.layers[self.layer_runs - 1]

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        self.seen.append(inputs)
        self.output_runs += 1
        return self.outputs[self.output_runs - 1]


def recorded(dtype: str = "int8") -> Recorded:
    """The same values at every call: distinct ones in every inference and tensor."""
    layers, outputs = [], []
    for vector in range(VECTORS):
        values = {
            tensor: np.arange(np.prod(shape)).reshape(shape).astype(dtype) + 10 * tensor + vector
            for tensor, shape in SHAPES.items()
        }
        layers.append({tensor: array.astype(dtype) for tensor, array in values.items()})
        outputs.append([layers[-1][4].copy(), layers[-1][3].copy()])
    return Recorded(layers, outputs)


def inputs() -> list[list[Any]]:
    return [[np.full((2, 6), i, np.int8)] * 2 for i in range(VECTORS)]


def compared(change: Callable[[Recorded], None] = lambda device: None) -> Parity:
    device = recorded()
    change(device)
    return compare(GRAPH, device, recorded(), inputs())


def test_equal_values_are_exact_and_all_counted() -> None:
    assert compared() == Parity(
        vectors=VECTORS,
        layers=2,
        values_compared=VECTORS * (12 + 6 + 6 + 6 + 6),
        values_different=0,
        first_difference=None,
    )


def test_equal_values_pass() -> None:
    require_agreement("case", compared())


@given(
    st.integers(0, VECTORS - 1),
    st.sampled_from(sorted(SHAPES)),
    st.data(),
    st.integers(1, 255),
)
def test_any_single_changed_layer_value_is_found_where_it_is(
    vector: int, tensor: int, data: st.DataObject, offset: int
) -> None:
    rows, columns = SHAPES[tensor]
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    expected = int(recorded().layers[vector][tensor][row, column])
    actual = (expected + offset + 128) % 256 - 128

    def change(device: Recorded) -> None:
        device.layers[vector][tensor][row, column] = actual

    parity = compared(change)
    layer = 0 if tensor == 2 else 1
    assert parity.values_different == 1
    assert parity.first_difference == Difference(
        vector=vector,
        place=Place(tensor, layer, ("ADD", "SPLIT")[layer]),
        index=row * columns + column,
        coordinates=(row, column),
        expected=expected,
        actual=actual,
    )


@given(st.integers(0, VECTORS - 1), st.integers(0, 1), st.integers(0, 5))
def test_any_single_changed_output_value_is_found_where_it_is(
    vector: int, output: int, index: int
) -> None:
    def change(device: Recorded) -> None:
        device.outputs[vector][output].reshape(-1)[index] -= 1

    parity = compared(change)
    assert parity.values_different == 1
    assert parity.first_difference is not None
    assert parity.first_difference.place == Place(GRAPH.outputs[output], None, "")
    assert (parity.first_difference.vector, parity.first_difference.index) == (vector, index)


def test_the_first_difference_is_the_first_in_order_of_execution() -> None:
    def change(device: Recorded) -> None:
        device.outputs[0][0][0, 0] += 1
        device.layers[1][2][0, 0] += 1
        device.layers[0][3][1, 1] += 1

    parity = compared(change)
    assert parity.values_different == 3
    assert parity.first_difference is not None
    assert (parity.first_difference.vector, parity.first_difference.place.tensor) == (0, 3)


def test_every_difference_is_counted() -> None:
    def change(device: Recorded) -> None:
        device.layers[2][2] += 1

    assert compared(change).values_different == 12


@pytest.mark.parametrize("tensor", sorted(SHAPES))
@pytest.mark.parametrize("vector", range(VECTORS))
def test_a_layer_output_that_the_device_leaves_out_is_an_error(tensor: int, vector: int) -> None:
    layer = "layer 0 ADD" if tensor == 2 else "layer 1 SPLIT"
    with pytest.raises(MismatchError, match=f"{layer}, tensor %{tensor}: the device gave no value"):
        compared(lambda device: device.layers[vector].pop(tensor))


def test_a_layer_output_that_the_reference_leaves_out_is_an_error() -> None:
    reference = recorded()
    del reference.layers[0][3]
    with pytest.raises(MismatchError, match="the reference gave no value"):
        compare(GRAPH, recorded(), reference, inputs())


def test_an_output_that_the_device_leaves_out_is_an_error() -> None:
    with pytest.raises(MismatchError, match="2 outputs; the reference gave 2, the device 1"):
        compared(lambda device: device.outputs[1].pop())


@pytest.mark.parametrize(
    "array", [np.zeros((2, 6), np.uint8), np.zeros((2, 5), np.int8), np.zeros(0, np.int8)]
)
def test_values_of_another_type_or_size_are_an_error(array: Any) -> None:
    with pytest.raises(MismatchError, match="expected 12 values of type int8, got"):
        compared(lambda device: device.layers[0].update({2: array}))


def test_a_device_may_give_its_values_flat() -> None:
    def flatten(device: Recorded) -> None:
        device.layers = [{t: a.reshape(-1) for t, a in v.items()} for v in device.layers]

    assert compared(flatten).exact


def test_both_sides_get_every_input_twice() -> None:
    device, reference, batch = recorded(), recorded(), inputs()
    compare(GRAPH, device, reference, batch)
    assert [[int(v[0][0, 0]) for v in side.seen] for side in (device, reference)] == [
        [0, 0, 1, 1, 2, 2]
    ] * 2


def test_progress_is_told_after_each_input() -> None:
    lines: list[str] = []
    compare(GRAPH, recorded(), recorded(), inputs(), lines.append)
    assert lines == [f"compared test input {i} of 3" for i in (1, 2, 3)]


def float_parity(expected: float, actual: float, tolerance: float = 0.0) -> Parity:
    """Of a tensor of two values, the second of which is 8."""
    graph = replace(GRAPH, operators=GRAPH.operators[:1], outputs=())
    sides = [Recorded([{2: np.array([x, 8], np.float32)}], [[]]) for x in (actual, expected)]
    return compare(graph, sides[0], sides[1], [[]], float_tolerance=tolerance)


def test_a_nan_equals_itself() -> None:
    assert float_parity(float("nan"), float("nan")).exact


@pytest.mark.parametrize(
    ("expected", "actual"),
    [(float("nan"), 1.0), (1.0, float("nan")), (0.0, -0.0), (1.0, 1.0000001), (np.inf, -np.inf)],
)
def test_floats_that_differ_in_any_bit_differ(expected: float, actual: float) -> None:
    assert float_parity(expected, actual).values_different == 1


def test_floats_within_the_tolerance_agree_but_are_not_exact() -> None:
    parity = float_parity(1.0, 1.0 + 2.0**-12, tolerance=2.0**-14)
    assert (parity.agrees, parity.exact) == (True, False)
    assert (parity.values_different, parity.values_rounded) == (0, 1)
    assert parity.worst_rounding == 2.0**-15  # of the largest value, which is 8
    assert parity.float_tolerance == 2.0**-14
    require_agreement("case", parity)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1.0, 1.0 + 2.0**-10),
        (float("nan"), 1.0),
        (1.0, float("nan")),
        (1.0, float("inf")),
        (np.inf, -np.inf),
        (3e38, -3e38),
    ],
)
def test_floats_beyond_the_tolerance_differ(expected: float, actual: float) -> None:
    parity = float_parity(expected, actual, tolerance=2.0**-14)
    assert (parity.agrees, parity.values_different) == (False, 1)
    assert parity.first_difference is not None
    with pytest.raises(MismatchError, match="1 of 2 values differ"):
        require_agreement("case", parity)


def test_a_zero_of_the_other_sign_and_a_nan_of_other_bits_are_rounding() -> None:
    assert float_parity(0.0, -0.0, tolerance=1e-9).agrees
    other = np.array([0x7FC00001], np.uint32).view(np.float32)[0]
    assert float_parity(float("nan"), other, tolerance=1e-9).agrees


def test_no_tolerance_makes_integers_agree() -> None:
    device = recorded()
    device.layers[1][2][0, 0] += 1
    parity = compare(GRAPH, device, recorded(), inputs(), float_tolerance=1.0)
    assert (parity.agrees, parity.values_different) == (False, 1)


def test_nothing_but_zeros_allows_nothing() -> None:
    zeros, tiny = np.zeros(3, np.float32), np.array([0, 1e-30, 0], np.float32)
    assert deviations(zeros, tiny).tolist() == [0, np.inf, 0]


def test_no_test_inputs_are_no_proof() -> None:
    parity = compare(GRAPH, recorded(), recorded(), [])
    assert not parity.exact
    assert parity.layers == 0
    with pytest.raises(MismatchError, match="nothing was compared"):
        require_agreement("case", parity)


def mismatch(change: Callable[[Recorded], None]) -> MismatchError:
    with pytest.raises(MismatchError) as caught:
        require_agreement("kws", compared(change))
    return caught.value


def test_a_mismatch_names_layer_index_and_both_values() -> None:
    def change(device: Recorded) -> None:
        device.layers[1][3][1, 2] = -7

    error = mismatch(change)
    assert error.message == (
        "kws: 1 of 108 values differ from the reference, first in layer 1 SPLIT, tensor %3, "
        "index 5 [1, 2], test input 1: expected 36, got -7"
    )
    assert error.exit_code is ExitCode.MISMATCH
    assert error.hint is not None
    assert "all layers before layer 1 agree" in error.hint


def test_a_mismatch_in_the_outputs_alone_says_that_the_layers_agree() -> None:
    def change(device: Recorded) -> None:
        device.outputs[0][1][0, 0] = -7

    error = mismatch(change)
    assert "the model's output %3, index 0 [0, 0]" in error.message
    assert error.hint is not None
    assert "every layer agrees" in error.hint


def test_an_optional_output_that_is_absent_is_not_asked_for() -> None:
    first = replace(GRAPH.operators[0], outputs=(2, -1))
    graph = replace(GRAPH, operators=(first, GRAPH.operators[1]))
    assert compare(graph, recorded(), recorded(), inputs()).exact


def test_the_reference_agrees_with_itself() -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 5), scale=0.1)
    y = builder.operator("RELU", [x], builder.tensor("int8", (1, 5), scale=0.1))
    model = builder.build([y])
    graph = parse_model(model, "relu")
    parity = compare(
        graph, TflmReference(model, "a"), TflmReference(model, "b"), vectors(graph, 10, 0)
    )
    assert (parity.exact, parity.values_compared) == (True, 10 * (5 + 5))
