from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from model_builder import ModelBuilder
from shared import shared_model

from tinyml_tool.errors import InputError, UnsupportedModelError
from tinyml_tool.graph.reader import parse_model, read_model
from tinyml_tool.graph.types import DType, Graph, Quantization, Tensor
from tinyml_tool.verify.inputs import vectors

INTEGER_TYPES = [DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64]


def graph_of(*tensors: Tensor) -> Graph:
    return Graph("case", tensors, (), tuple(range(len(tensors))), (), "00")


def tensor(dtype: DType, shape: tuple[int, ...] = (1, 3, 2), zero_point: int = 5) -> Tensor:
    return Tensor(0, "x", shape, dtype, Quantization((0.5,), (zero_point,)))


def only_input(dtype: DType, count: int = 10, **parts: Any) -> list[Any]:
    return [vector[0] for vector in vectors(graph_of(tensor(dtype, **parts)), count, seed=1)]


@pytest.mark.parametrize("dtype", INTEGER_TYPES)
def test_integer_inputs_begin_with_the_extremes_of_their_type(dtype: DType) -> None:
    low, high = np.iinfo(dtype.numpy).min, np.iinfo(dtype.numpy).max
    lowest, highest, resting, alternating, ramp, impulse = only_input(dtype)[:6]
    assert set(lowest.reshape(-1).tolist()) == {low}
    assert set(highest.reshape(-1).tolist()) == {high}
    assert set(resting.reshape(-1).tolist()) == {5}
    assert alternating.reshape(-1).tolist() == [low, high] * 3
    assert (ramp.reshape(-1)[0], ramp.reshape(-1)[-1]) == (low, high)
    assert impulse.reshape(-1).tolist() == [5, 5, 5, high, 5, 5]


@pytest.mark.parametrize("dtype", [*INTEGER_TYPES, DType.BOOL, DType.FLOAT32])
def test_every_input_has_the_tensors_type_and_shape(dtype: DType) -> None:
    found = {(array.dtype, array.shape) for array in only_input(dtype, 12)}
    assert found == {(dtype.numpy, (1, 3, 2))}


def test_random_values_cover_the_whole_range_of_the_type() -> None:
    values = only_input(DType.INT8, 7, shape=(1, 5000))[6]
    assert set(values.reshape(-1).tolist()) == set(range(-128, 128))


def test_a_ramp_rises_evenly() -> None:
    ramp = only_input(DType.INT8, shape=(1, 256))[4]
    assert ramp.reshape(-1).tolist() == list(range(-128, 128))


def test_no_two_inputs_are_the_same() -> None:
    contents = [array.tobytes() for array in only_input(DType.INT8, 20)]
    assert len(set(contents)) == 20


def test_one_seed_gives_one_set_of_inputs() -> None:
    graph = graph_of(tensor(DType.INT8))
    first, again, other = (vectors(graph, 9, seed) for seed in (3, 3, 4))
    assert [v[0].tolist() for v in first] == [v[0].tolist() for v in again]
    assert [v[0].tolist() for v in first] != [v[0].tolist() for v in other]


def test_more_inputs_begin_with_the_same_ones() -> None:
    few, many = only_input(DType.INT8, 8), only_input(DType.INT8, 12)
    for one, other in itertools.zip_longest(few, many[:8]):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("count", [1, 2, 6, 7, 10, 100])
def test_there_are_as_many_as_asked_for(count: int) -> None:
    assert len(only_input(DType.INT8, count)) == count


@pytest.mark.parametrize("count", [0, -1])
def test_less_than_one_input_is_refused(count: int) -> None:
    with pytest.raises(InputError, match="at least 1"):
        vectors(graph_of(tensor(DType.INT8)), count, 0)


def test_an_input_of_one_value_gets_no_extreme_twice() -> None:
    values = [int(array.reshape(-1)[0]) for array in only_input(DType.INT8, 4, shape=(1, 1))]
    assert values[:3] == [-128, 127, 5]


def test_every_input_of_the_model_is_fed() -> None:
    first = Tensor(0, "a", (1, 2), DType.INT8)
    second = Tensor(1, "b", (3,), DType.INT16)
    for vector in vectors(graph_of(first, second), 10, 0):
        assert [(a.dtype.name, a.shape) for a in vector] == [("int8", (1, 2)), ("int16", (3,))]


def test_an_input_without_quantization_rests_at_0() -> None:
    (resting,) = vectors(graph_of(Tensor(0, "x", (2,), DType.INT32)), 3, 0)[2]
    assert resting.tolist() == [0, 0]


def test_float_inputs_go_beyond_what_the_model_quantizes() -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4))
    y = builder.operator("QUANTIZE", [x], builder.tensor("int8", (1, 4), scale=0.5, zero_point=28))
    lowest, highest, resting, *rest = vectors(parse_model(builder.build([y]), "case"), 40, 0)
    assert lowest[0].reshape(-1).tolist() == [-97.5] * 4  # 1.25 * 0.5 * (-128 - 28)
    assert highest[0].reshape(-1).tolist() == [61.875] * 4  # 1.25 * 0.5 * (127 - 28)
    assert resting[0].reshape(-1).tolist() == [0.0] * 4
    assert all(-97.5 <= value <= 61.875 for v in rest for value in v[0].reshape(-1).tolist())


def test_float_inputs_of_unknown_range_lie_between_minus_1_and_1() -> None:
    values = np.concatenate([array.reshape(-1) for array in only_input(DType.FLOAT32, 30)])
    assert (values.min(), values.max()) == (-1.0, 1.0)


@pytest.mark.parametrize("dtype", [DType.STRING, DType.INT4, DType.FLOAT16])
def test_an_input_that_cannot_be_made_is_named(dtype: DType) -> None:
    with pytest.raises(UnsupportedModelError, match=f"input 'x' is {dtype.value}"):
        vectors(graph_of(tensor(dtype)), 10, 0)


@pytest.mark.parametrize("name", ["hello_world_int8.tflite", "vww_96_int8.tflite"])
def test_inputs_of_a_real_model_fit_it(name: str) -> None:
    graph = read_model(shared_model(name))
    wanted = graph.tensor(graph.inputs[0])
    for (array,) in vectors(graph, 10, 0):
        assert (array.shape, array.dtype) == (wanted.shape, wanted.dtype.numpy)
