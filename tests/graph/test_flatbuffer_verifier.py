"""No bytes at all make the reader fail in any other way than with an InvalidModelError."""

import random
import struct
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from foreign_files import FOREIGN_FILES
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import shared_model
from small_models import edited, quantization_edit, small_model, subgraph_edit

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph import (
    activation_bytes,
    check,
    macs,
    parse_model,
    peak_activation_bytes,
    total_weight_bytes,
    weight_bytes,
)
from tinyml_tool.graph.flatbuffer import (
    MAX_TABLES,
    FlatbufferError,
    ScalarVector,
    String,
    TableType,
    TableVector,
    verify,
)

MODEL = small_model()


def survives(data: bytes) -> bool:
    """Use everything of the room on the bytes; whether they were a model."""
    try:
        graph = parse_model(data, "hostile")
    except InvalidModelError as error:
        assert error.message.startswith("hostile: ")
        assert error.hint
        return False
    for problem in check(graph):
        assert str(problem)
    assert str(graph)
    for operator in graph.operators:
        macs(operator, graph)
        weight_bytes(operator, graph)
        activation_bytes(operator, graph)
    peak_activation_bytes(graph)
    total_weight_bytes(graph)
    return True


def test_every_truncation_is_refused_or_harmless() -> None:
    whole = str(parse_model(MODEL, "hostile"))
    for length in range(len(MODEL)):
        if survives(MODEL[:length]):
            assert str(parse_model(MODEL[:length], "hostile")) == whole


def test_truncations_that_are_no_model_are_nearly_all() -> None:
    # Only padding behind the last object can be missed.
    assert not any(survives(MODEL[:length]) for length in range(len(MODEL) - 16))


@pytest.mark.parametrize("name", ["hello_world_int8.tflite", "kws_ref_model.tflite"])
@pytest.mark.parametrize("twentieth", range(20))
def test_a_real_model_cut_short_is_refused(name: str, twentieth: int) -> None:
    data = shared_model(name).read_bytes()
    length = len(data) * twentieth // 20
    with pytest.raises(InvalidModelError) as caught:
        parse_model(data[:length], name)
    if length > 8:
        assert f"truncated or damaged: the file has {length} bytes" in caught.value.message


def test_a_truncated_constant_is_told_with_its_tensor_and_bytes() -> None:
    """The data of the constant is moved to the end of the file, and the end cut off."""
    data = bytearray(MODEL)
    model = schema.Model.GetRootAs(bytes(data), 0)
    number = model.Subgraphs(0).Tensors(1).Buffer()
    table = model.Buffers(number)._tab
    field = table.Pos + table.Offset(4)
    end = len(data)
    struct.pack_into("<I", data, field, end - field)
    data += struct.pack("<I", 36) + bytes(35)
    with pytest.raises(InvalidModelError) as caught:
        parse_model(bytes(data), "cut")
    assert caught.value.message == (
        f"cut: truncated or damaged: the file has {end + 39} bytes, "
        f"but bytes {end + 4} to {end + 40} should hold the buffer of tensor 1 'filters'"
    )


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    assert not survives(data)


@given(st.sampled_from(list(FOREIGN_FILES.values())), st.integers(1, 12), st.binary(max_size=40))
def test_beginnings_of_foreign_files_are_refused(file: bytes, kept: int, rest: bytes) -> None:
    assert not survives(file[:kept] + rest)


@given(st.binary(max_size=300))
def test_random_bytes_behind_the_magic_number_are_survived(data: bytes) -> None:
    survives(b"\x10\x00\x00\x00TFL3" + data)


@settings(max_examples=300)
@given(st.data())
def test_edited_bytes_are_survived(data: st.DataObject) -> None:
    broken = bytearray(MODEL)
    places = st.integers(0, len(MODEL) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        broken[place] = value
    survives(bytes(broken))


def mutations(base: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Copies of the file with some words replaced, moved, flipped or removed."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(base)
        for _ in range(chance.choice([1, 1, 2, 4, 16])):
            chance.choice(MUTATORS)(data, chance)
        yield bytes(data)


def _flip(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _word(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data) - 4) & ~3
    size = len(data)
    values = [0, 1, 4, 2**31 - 1, 2**31, 2**32 - 1, size, size - 4, chance.randrange(size)]
    struct.pack_into("<I", data, place, chance.choice(values))


def _move(data: bytearray, chance: random.Random) -> None:
    place, other = (chance.randrange(len(data) - 4) & ~3 for _ in range(2))
    data[place : place + 4] = data[other : other + 4]


def _remove(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(8, len(data))
    if len(data) > 200:
        del data[place : place + chance.choice([1, 4, 60])]


MUTATORS: list[Callable[[bytearray, random.Random], None]] = [_flip, _word, _move, _remove]


@pytest.mark.parametrize("seed", range(4))
def test_mutations_of_a_small_model_are_survived(seed: int) -> None:
    results = [survives(data) for data in mutations(MODEL, seed, 2500)]
    assert set(results) == {True, False}


def test_mutations_of_a_real_model_are_survived() -> None:
    base = shared_model("hello_world_int8.tflite").read_bytes()
    results = [survives(data) for data in mutations(base, 11, 1500)]
    assert set(results) == {True, False}


def test_a_word_of_every_place_set_to_each_extreme_is_survived() -> None:
    for place in range(0, len(MODEL) - 4, 4):
        for value in (0, 0x7FFFFFFF, 0xFFFFFFFF, len(MODEL) - place):
            survives(MODEL[:place] + struct.pack("<I", value) + MODEL[place + 4 :])


# The verifier itself, on files written by hand.

NAMED = TableType("Named", ((0, "name", String()),))
LIST = TableType("List", ((0, "items", TableVector(NAMED)),))
NUMBERS = TableType("Numbers", ((0, "values", ScalarVector(4, most=3)),))


def table(field: int, vtable: tuple[int, ...] = (6, 8, 4)) -> bytes:
    """A file with one table at byte 16, whose field 0 lies at byte 20 and holds `field`."""
    head = struct.pack("<I", 16) + b"TEST" + struct.pack("<HHHH", *vtable, *[0] * (4 - len(vtable)))
    return head + struct.pack("<iI", 16 - 8, field)


def refusal(data: bytes, kind: TableType) -> FlatbufferError:
    with pytest.raises(FlatbufferError) as caught:
        verify(data, kind)
    return caught.value


def test_a_sound_text_is_accepted() -> None:
    verify(table(4) + struct.pack("<I", 2) + b"ab\0", NAMED)


def test_an_absent_field_is_accepted() -> None:
    verify(table(0xFFFFFFFF, (4, 8)), NAMED)
    verify(table(0xFFFFFFFF, (6, 8, 0)), NAMED)


def test_text_without_its_end_is_refused() -> None:
    error = refusal(table(4) + struct.pack("<I", 2) + b"abc", NAMED)
    assert error.path == ("name",)
    assert "without an end" in error.cause


def test_text_that_ends_with_the_file_is_refused() -> None:
    assert refusal(table(4) + struct.pack("<I", 2) + b"ab", NAMED).needed == (30, 31)


def test_text_that_leaves_the_file_tells_the_bytes_it_needs() -> None:
    assert refusal(table(4) + struct.pack("<I", 200) + b"ab\0", NAMED).needed == (28, 228)


def test_an_offset_of_zero_is_refused() -> None:
    assert "refers to itself" in refusal(table(0), NAMED).cause


def test_an_offset_that_leaves_the_file_is_refused() -> None:
    assert refusal(table(0xFFFFFFF0), NAMED).needed == (20 + 0xFFFFFFF0, 24 + 0xFFFFFFF0)


def test_a_misaligned_vector_is_refused() -> None:
    assert "not a multiple of 4" in refusal(table(6) + bytes(20), NAMED).cause


@pytest.mark.parametrize("vtable", [(2, 8, 4), (7, 8, 4), (6, 2, 4)])
def test_a_broken_vtable_is_refused(vtable: tuple[int, ...]) -> None:
    assert "broken vtable" in refusal(table(4, vtable) + bytes(8), NAMED).cause


def test_a_vtable_outside_the_file_is_refused() -> None:
    data = bytearray(table(4))
    struct.pack_into("<i", data, 16, 400)
    assert refusal(bytes(data), NAMED).needed == (-384, -380)


def test_a_field_outside_its_table_is_refused() -> None:
    assert "outside its table" in refusal(table(4, (6, 8, 6)) + bytes(8), NAMED).cause


def test_a_vector_of_tables_names_the_broken_element() -> None:
    data = table(4) + struct.pack("<III", 2, 0xFFFFFFF0, 4)
    assert refusal(data, LIST).path == ("items", 0)


def test_a_vector_longer_than_makes_sense_is_refused() -> None:
    verify(table(4) + struct.pack("<I3i", 3, 1, 2, 3), NUMBERS)
    assert "at most 3" in refusal(table(4) + struct.pack("<I4i", 4, 1, 2, 3, 4), NUMBERS).cause


def test_one_table_referred_to_a_million_times_is_refused_soon() -> None:
    count = 1_000_000
    vector_at = 24
    first_element = vector_at + 4
    shared_at = first_element + 4 * count
    # The shared table has a vtable of its own without fields, right behind it.
    offsets = shared_at - np.arange(first_element, shared_at, 4, dtype=np.uint32)
    data = table(4) + struct.pack("<I", count) + offsets.astype("<u4").tobytes()
    data += struct.pack("<iHH", -4, 4, 4)
    start = time.perf_counter()
    assert f"more than {MAX_TABLES} tables" in refusal(data, LIST).cause
    assert time.perf_counter() - start < 2


def test_nested_sharing_cannot_multiply_the_work() -> None:
    """A thousand subgraphs that are one and the same, which has a thousand tensors."""
    tensors = schema.ModelT.InitFromPackedBuf(MODEL, 0).subgraphs[0].tensors
    inner = edited(MODEL, subgraph_edit(tensors=tensors * 100))
    root = schema.Model.GetRootAs(inner, 0)._tab
    codes, subgraphs, buffers = (root.Vector(root.Offset(4 + 2 * slot)) - 4 for slot in (1, 2, 4))
    subgraph = subgraphs + 4 + struct.unpack_from("<I", inner, subgraphs + 4)[0]
    # A new root table and a vector of offsets in front of the file; its offsets are relative.
    count, table_at, vector_at = 1000, 24, 44
    front = vector_at + 4 + 4 * count
    data = struct.pack("<I4sHH5HH", table_at, b"TFL3", 14, 20, 4, 8, 12, 0, 16, 0)
    data += struct.pack(
        "<iIIII",
        table_at - 8,
        3,
        front + codes - (table_at + 8),
        vector_at - (table_at + 12),
        front + buffers - (table_at + 16),
    )
    places = range(vector_at + 4, front, 4)
    data += struct.pack(f"<I{count}I", count, *(front + subgraph - place for place in places))
    start = time.perf_counter()
    with pytest.raises(InvalidModelError, match=f"one of more than {MAX_TABLES} tables"):
        parse_model(data + inner, "hostile")
    assert time.perf_counter() - start < 2


def test_a_file_full_of_operators_is_read_soon() -> None:
    operators = schema.ModelT.InitFromPackedBuf(MODEL, 0).subgraphs[0].operators
    data = edited(MODEL, subgraph_edit(operators=operators[:1] * 20_000))
    start = time.perf_counter()
    assert not survives(data)
    assert time.perf_counter() - start < 4


def test_more_structure_than_any_model_has_is_refused() -> None:
    scales = np.ones(5_000_000, np.float32)
    data = edited(MODEL, quantization_edit(1, scale=scales))
    with pytest.raises(InvalidModelError, match="structure"):
        parse_model(data, "fat")
