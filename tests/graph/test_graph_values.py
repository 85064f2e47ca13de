"""Graphs, tensors and types by themselves; the room as a package."""

import subprocess
import sys

import pytest

import tinyml_tool.graph as room
from tinyml_tool.graph import DType, Graph, Operator, Tensor
from tinyml_tool.graph.names import MAX_CHARACTERS, printable, tensor_name


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = (
        "import sys, tinyml_tool.graph; print(sorted({'numpy', 'ai_edge_litert'} & {*sys.modules}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


@pytest.mark.parametrize("name", room.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(room, name) is not None


def test_another_name_does_not_exist() -> None:
    with pytest.raises(AttributeError, match="no attribute 'writer'"):
        _ = room.writer  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [
        (DType.INT8, (3, 5), 15),
        (DType.INT32, (3, 5), 60),
        (DType.FLOAT32, (), 4),
        (DType.INT4, (3, 5), 8),
        (DType.INT2, (3, 3), 3),
        (DType.BFLOAT16, (3,), 6),
        (DType.BOOL, (3,), 3),
        (DType.STRING, (3,), 0),
        (DType.INT8, (-1, 5), 0),
        (DType.INT8, (-1, -5), 0),
    ],
)
def test_a_tensor_knows_its_bytes(dtype: DType, shape: tuple[int, ...], size: int) -> None:
    assert Tensor(0, "t", shape, dtype).bytes == size


@pytest.mark.parametrize("dtype", DType)
def test_a_type_has_a_numpy_type_or_says_so(dtype: DType) -> None:
    if dtype.has_numpy:
        assert dtype.bytes * 8 == dtype.bits == dtype.numpy.itemsize * 8
    else:
        with pytest.raises(ValueError, match=f"{dtype.value} has no numpy type"):
            _ = dtype.numpy


def small_graph() -> Graph:
    tensors = tuple(Tensor(index, "t", (1, 4), DType.INT8) for index in range(2))
    operator = Operator(0, "FULLY_CONNECTED", (0, 1, -1), (1,))
    return Graph("g", tensors, (operator,), (0,), (1,), "")


def test_an_absent_input_prints_as_a_dash() -> None:
    assert "0 FULLY_CONNECTED (%0 int8[1x4], %1 int8[1x4], -) -> " in str(small_graph())


@pytest.mark.parametrize("index", [-1, 2])
def test_an_absent_tensor_cannot_be_had(index: int) -> None:
    with pytest.raises(IndexError):
        small_graph().tensor(index)


def test_a_long_name_is_cut() -> None:
    assert len(printable(b"x" * 10 * MAX_CHARACTERS)) == MAX_CHARACTERS


def test_a_joined_name_is_shortened_in_messages() -> None:
    assert tensor_name(3, "a" * 100) == f"tensor 3 '{'a' * 45}...'"


def test_a_tensor_without_name_has_its_number() -> None:
    assert tensor_name(3, "") == "tensor 3"
