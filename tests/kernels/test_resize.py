"""RESIZE_NEAREST_NEIGHBOR: generated C against TensorFlow Lite Micro."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import unsupported_reasons
from model_builder import ModelBuilder
from moved_tensors import add_input, add_output, assert_moves_like_the_reference
from operator_strategies import many, model_of, sweep

KIND = "RESIZE_NEAREST_NEIGHBOR"
OPTIONS = [
    {"align_corners": corners, "half_pixel_centers": centers}
    for corners in (False, True)
    for centers in (False, True)
]


@st.composite
def resizes(draw):
    lengths = st.integers(1, 17)
    shape = (draw(st.integers(1, 3)), draw(lengths), draw(lengths), draw(st.integers(1, 4)))
    size = draw(lengths), draw(lengths)
    dtype = draw(st.sampled_from(["int8", "int8", "int16", "float32"]))
    return dtype, shape, size, draw(st.sampled_from(OPTIONS))


def add_resize(builder, case):
    dtype, (batches, height, width, channels), size, options = case
    source = add_input(builder, dtype, (batches, height, width, channels))
    target = add_output(builder, dtype, (batches, *size, channels))
    return builder.operator(KIND, [source, builder.constant(size, "int32")], target, **options)


@sweep(2)
@given(many(resizes()))
def test_resize_equals_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_resize))


@pytest.mark.parametrize(
    "options", [OPTIONS[0], *(pytest.param(o, marks=pytest.mark.slow) for o in OPTIONS[1:])]
)
def test_every_ratio_of_small_sizes_equals_the_reference(options):
    # Height and width are independent, so one operator covers two ratios.
    cases = [
        ("int8", (1, before, 34 - before, 1), (after, 34 - after), options)
        for before in range(1, 18)
        for after in range(1, 18)
    ]
    for start in range(0, len(cases), 150):
        assert_moves_like_the_reference(model_of(cases[start : start + 150], add_resize))


@pytest.mark.parametrize("options", OPTIONS)
def test_long_sides_equal_the_reference(options):
    cases = [
        ("int8", (1, before, 1, 1), (after, 1), options)
        for before, after in [(32768, 7), (1000, 777), (777, 1000), (511, 32767), (3, 10007)]
    ]
    assert_moves_like_the_reference(model_of(cases, add_resize))


@sweep(1)
@given(many(resizes()))
def test_resize_has_no_undefined_behaviour(cases):
    assert_moves_like_the_reference(model_of(cases, add_resize), sanitize=True)


@pytest.mark.slow
@sweep(60)
@given(many(resizes()))
def test_thousands_of_resizes_equal_the_reference(cases):
    assert_moves_like_the_reference(model_of(cases, add_resize))


def resize_of(dtype="int8", height=2, constant=True):
    builder = ModelBuilder()
    size = builder.constant((4, 4), "int32") if constant else builder.input("int32", (2,))
    source = builder.input(dtype, (1, height, 2, 1))
    target = builder.tensor(dtype, (1, 4, 4, 1))
    return builder.build([builder.operator(KIND, [source, size], target)])


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (resize_of("uint8"), "type uint8", "quantize the model to int8"),
        (resize_of(constant=False), "computed by the model", "constants"),
        (resize_of(height=32769), "32769x2", "--engine tflm"),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
