"""STRIDED_SLICE and SPLIT: generated C against TensorFlow Lite Micro."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import unsupported_reasons
from model_builder import ModelBuilder
from moved_tensors import add_input, add_output, assert_moves_like_the_reference, shapes
from operator_strategies import many, model_of, sweep


@dataclass(frozen=True)
class Slice:
    """Along one axis; `end` is None and `stride` 1 where the axis shrinks to the index `begin`."""

    length: int
    begin: int
    end: int | None
    stride: int
    begin_masked: bool
    end_masked: bool

    @property
    def taken(self) -> int:
        """Elements that numpy takes."""
        first = None if self.begin_masked else self.begin
        last = None if self.end_masked else self.end
        return len(range(self.length)[first : last : self.stride])


def spellings(position, length):
    """Values of begin or end that mean a position; -1 and `length` are those beside the tensor."""
    if position < 0:
        return [-length - 1, -length - 4]
    if position >= length:
        return [length, length + 3]
    return [position, position - length]


@st.composite
def slices(draw, length):
    """A slice that takes at least one element, with begin and end in all their spellings."""
    begin_masked, end_masked = draw(st.booleans()), draw(st.booleans())
    if draw(st.integers(0, 4)) == 0:
        index = draw(st.integers(-length, length - 1))
        return Slice(length, index, None, 1, begin_masked, end_masked)
    stride = draw(st.sampled_from([1, 1, 1, -1, 2, -2, 3, -3, 20, -20]))
    low = draw(st.integers(0, length - 1))
    high = draw(st.integers(low, length - 1))
    first, behind = (low, high + 1) if stride > 0 else (high, low - 1)
    anything = st.integers(-length - 4, length + 4)
    begin = draw(anything if begin_masked else st.sampled_from(spellings(first, length)))
    end = draw(anything if end_masked else st.sampled_from(spellings(behind, length)))
    # A mask moves its side outwards, so it takes no element away.
    return Slice(length, begin, end, stride, begin_masked, end_masked)


@st.composite
def strided_slices(draw):
    dtype = draw(st.sampled_from(["int8", "int8", "int16", "int32", "float32", "bool"]))
    axes = [draw(slices(length)) for length in draw(shapes(1, 4))]
    return dtype, axes


def add_strided_slice(builder, case):
    dtype, axes = case

    def mask(name):
        return sum(getattr(axis, name) << position for position, axis in enumerate(axes))

    source = add_input(builder, dtype, [axis.length for axis in axes])
    # An end of 0 behind the axis that shrinks: it must not matter.
    parameters = [
        builder.constant(values, "int32")
        for values in (
            [axis.begin for axis in axes],
            [axis.end or 0 for axis in axes],
            [axis.stride for axis in axes],
        )
    ]
    kept = [axis.taken for axis in axes if axis.end is not None]
    return builder.operator(
        "STRIDED_SLICE",
        [source, *parameters],
        add_output(builder, dtype, kept),
        begin_mask=mask("begin_masked"),
        end_mask=mask("end_masked"),
        shrink_axis_mask=sum((axis.end is None) << i for i, axis in enumerate(axes)),
    )


@st.composite
def splits(draw):
    dtype = draw(st.sampled_from(["int8", "int8", "int16", "int32", "float32"]))
    shape = draw(shapes(1, 6))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    return dtype, shape, axis, draw(st.integers(1, 5))


def add_split(builder, case):
    dtype, shape, axis, parts = case
    whole = list(shape)
    whole[axis] *= parts
    targets = [add_output(builder, dtype, shape) for _ in range(parts)]
    inputs = [builder.constant(axis, "int32"), add_input(builder, dtype, whole)]
    return builder.operator("SPLIT", inputs, targets, num_splits=parts)


@sweep(5)
@given(many(strided_slices()))
def test_strided_slice_equals_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_strided_slice))


@sweep(3)
@given(many(splits()))
def test_split_equals_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_split))


@sweep(1)
@given(many(strided_slices()), many(splits()))
def test_slicing_has_no_undefined_behaviour(slice_cases, split_cases):
    assert_moves_like_the_reference(model_of(slice_cases, add_strided_slice), sanitize=True)
    assert_moves_like_the_reference(model_of(split_cases, add_split), sanitize=True)


@pytest.mark.slow
@sweep(60)
@given(many(strided_slices()), many(splits()))
def test_thousands_of_slices_and_splits_equal_the_reference(slice_cases, split_cases):
    assert_moves_like_the_reference(model_of(slice_cases, add_strided_slice))
    assert_moves_like_the_reference(model_of(split_cases, add_split))


def test_a_split_has_as_many_outputs_as_it_likes():
    model = model_of([("int8", (1, 2), 0, 40)], add_split)
    assert_moves_like_the_reference(model)


def slice_of(dtype="int8", shape=(6,), constant=True, parameter="int32", stride=2, **options):
    builder = ModelBuilder()
    rank = len(shape)
    values = [0] * rank, list(shape), [stride] * rank
    parameters = [builder.constant(value, parameter) for value in values]
    if not constant:
        parameters[0] = builder.input("int32", (rank,))
    source = builder.input(dtype, shape)
    shrunk = options.get("shrink_axis_mask", 0)
    target = builder.tensor(dtype, [] if shrunk else [-(-n // stride) for n in shape])
    return builder.build(
        [builder.operator("STRIDED_SLICE", [source, *parameters], target, **options)]
    )


def split_of(dtype="int8", constant=True):
    builder = ModelBuilder()
    axis = builder.constant(1, "int32") if constant else builder.input("int32", ())
    source = builder.input(dtype, (1, 6))
    targets = [builder.tensor(dtype, (1, 3)) for _ in range(2)]
    builder.operator("SPLIT", [axis, source], targets, num_splits=2)
    return builder.build(targets)


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (slice_of("uint8"), "type uint8", "quantize the model to int8"),
        (slice_of(shape=(1, 2, 1, 2, 2)), "5 dimensions", "reshape"),
        (slice_of(constant=False), "computed by the model", "constants"),
        (slice_of(parameter="int64"), "int64 (needs int32", "make the begin int32"),
        (slice_of(ellipsis_mask=1), "ellipsis", "every axis"),
        (slice_of(new_axis_mask=1), "new-axis", "every axis"),
        (slice_of(offset=True), "offsets", "every axis"),
        (slice_of(stride=-1, shrink_axis_mask=1), "stride -1", "again"),
        (split_of("uint8"), "type uint8", "quantize the model to int8"),
        (split_of(constant=False), "computed by the model", "constants"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
