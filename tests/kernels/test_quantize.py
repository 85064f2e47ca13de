"""QUANTIZE and DEQUANTIZE: generated C against TensorFlow Lite Micro."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import assert_bit_exact, compile_model, run_generated, unsupported_reasons
from model_builder import ModelBuilder
from operator_strategies import Affine, many, model_of, scales, sweep

BYTE_PAIRS = [("int8", "int8"), ("int8", "uint8"), ("uint8", "int8")]
WIDER_PAIRS = [
    ("int8", "int16"),
    ("int8", "int32"),
    ("int16", "int8"),
    ("int16", "int16"),
    ("int16", "int32"),
    ("int32", "int8"),
    ("int32", "int16"),
]
FROM_FLOAT = [("float32", "int8"), ("float32", "int16")]
TO_FLOAT = [("int8", "float32"), ("uint8", "float32"), ("int16", "float32")]
ALL_PAIRS = BYTE_PAIRS + WIDER_PAIRS + FROM_FLOAT + TO_FLOAT


@dataclass(frozen=True)
class Conversion:
    """From one type and quantization to another; those of floats do not count."""

    types: tuple[str, str]
    source: Affine
    target: Affine
    seed: int

    @property
    def kind(self) -> str:
        return "DEQUANTIZE" if self.types[1] == "float32" else "QUANTIZE"


@st.composite
def affines_of(draw, dtype, related_to=None):
    """Any zero point of the type; the scale often in a simple ratio to another one."""
    scale = draw(scales(1e-5, 100))
    if related_to is not None and draw(st.booleans()):
        ratio = draw(st.sampled_from([1, 2, 0.5, 0.4, 0.8, 4 / 3, 1 / 256, 256]))
        scale = float(np.float32(related_to * ratio))
    if dtype in ("int32", "float32"):
        return Affine(scale, 0)
    limits = np.iinfo(dtype)
    within = st.integers(int(limits.min), int(limits.max))
    return Affine(scale, draw(st.sampled_from([int(limits.min), 0, int(limits.max)]) | within))


@st.composite
def conversions(draw, pairs):
    types = draw(st.sampled_from(pairs))
    source = draw(affines_of(types[0]))
    target = draw(affines_of(types[1], source.scale))
    return Conversion(types, source, target, draw(st.integers(0, 2**32 - 1)))


def values_for(case):
    """Every value of the small types; random ones, limits and halves of the others."""
    dtype = case.types[0]
    rng = np.random.default_rng(case.seed)
    if dtype == "float32":
        # Halves of a step, their neighbours, and everything up to what still fits an int32.
        halves = (np.arange(-300, 300) / 2 * np.float32(case.target.scale)).astype(np.float32)
        spread = rng.normal(size=600) * 2.0 ** rng.uniform(-40, 30, 600) * case.target.scale
        wide = np.clip(spread, -(2**30) * case.target.scale, 2**30 * case.target.scale)
        near = np.nextafter(halves, rng.choice([-np.inf, np.inf], 600).astype(np.float32))
        return np.concatenate([halves, near, wide.astype(np.float32), [-0.0]]).astype(np.float32)
    limits = np.iinfo(dtype)
    if dtype == "int32":
        some = rng.integers(limits.min, limits.max, 500, endpoint=True) >> rng.integers(0, 32, 500)
        return np.append(some, [limits.min, limits.max, -1, 0, 1]).astype(np.int32)
    return np.arange(limits.min, limits.max + 1).astype(dtype)


def add_conversion(builder, case):
    shape = values_for(case).shape
    before, after = case.types
    affine = {} if before == "float32" else case.source.arguments()
    source = builder.input(before, shape, **affine)
    affine = {} if after == "float32" else case.target.arguments()
    return builder.operator(case.kind, [source], builder.tensor(after, shape, **affine))


def assert_conversions_equal_the_reference(cases, **how):
    # A model of nothing but floats would be refused, so there is an operator of integers too.
    cases = [*cases, Conversion(("int8", "int8"), Affine(0.5, 1), Affine(0.25, 0), 0)]
    values = [values_for(case) for case in cases]
    return assert_bit_exact(model_of(cases, add_conversion), values, **how)


@pytest.mark.parametrize(
    "pairs",
    [BYTE_PAIRS, WIDER_PAIRS, FROM_FLOAT, TO_FLOAT],
    ids=["bytes", "wider", "from_float", "to_float"],
)
def test_conversions_equal_the_reference(pairs):
    @sweep(2)
    @given(many(conversions(pairs)))
    def test(cases):
        assert_conversions_equal_the_reference(cases)

    test()


@sweep(1)
@given(many(conversions(ALL_PAIRS)))
def test_conversions_have_no_undefined_behaviour(cases):
    assert_conversions_equal_the_reference(cases, sanitize=True)


@pytest.mark.slow
@sweep(150)
@given(many(conversions(ALL_PAIRS)))
def test_thousands_of_conversions_equal_the_reference(cases):
    assert_conversions_equal_the_reference(cases)


@pytest.mark.parametrize("types", [("int8", "uint8"), ("uint8", "int8")])
def test_a_shift_by_128_between_int8_and_uint8_flips_the_highest_bit(types):
    points = {"int8": -1, "uint8": 127}
    case = Conversion(types, Affine(0.1, points[types[0]]), Affine(0.1, points[types[1]]), 0)
    model = model_of([case], add_conversion)
    values = values_for(case)
    assert_bit_exact(model, [values])
    (((result,), _),) = run_generated(compile_model(model), [[values]])
    assert np.array_equal(result.view(np.uint8), values.view(np.uint8) ^ 0x80)


@pytest.mark.parametrize(("output", "zero_point"), [("int8", 5), ("int16", -77)])
def test_floats_that_are_undefined_in_the_reference_saturate(output, zero_point):
    builder = ModelBuilder()
    values = np.array(
        [np.inf, -np.inf, np.nan, 3e38, -3e38, 2.0**31, -(2.0**31), 2.0**40, -0.0, 1e-45],
        np.float32,
    )
    source = builder.input("float32", values.shape)
    target = builder.tensor(output, values.shape, scale=1e-3, zero_point=zero_point)
    model = builder.build([builder.operator("QUANTIZE", [source], target)])
    (((result,), _),) = run_generated(compile_model(model), [[values]], sanitize=True)
    low, high = np.iinfo(output).min, np.iinfo(output).max
    zero = zero_point
    assert result.tolist() == [high, low, zero, high, low, high, low, high, zero, zero]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
@pytest.mark.parametrize("scale", [2.0**-149, 1.1754942e-38, 1e-30, 3e33])
def test_products_beyond_normal_floats_equal_the_reference(dtype, scale):
    case = Conversion((dtype, "float32"), Affine(float(np.float32(scale)), 3), Affine(1.0, 0), 0)
    assert_conversions_equal_the_reference([case])


def conversion_of(kind, before, after, source=None, target=None):
    builder = ModelBuilder()
    affine = {"scale": 0.5, "zero_point": 0}
    quantized = {"int8", "uint8", "int16", "int32"}
    tensor = builder.input(before, (4,), **(source or (affine if before in quantized else {})))
    result = builder.tensor(after, (4,), **(target or (affine if after in quantized else {})))
    return builder.build([builder.operator(kind, [tensor], result)])


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (conversion_of("QUANTIZE", "float32", "uint8"), "from float32 to uint8", "to int8"),
        (conversion_of("QUANTIZE", "uint8", "uint8"), "from uint8 to uint8", "to int8"),
        (conversion_of("QUANTIZE", "int32", "int32"), "from int32 to int32", "to int8"),
        (conversion_of("DEQUANTIZE", "int32", "float32"), "from int32", "quantize the model"),
        (conversion_of("DEQUANTIZE", "float16", "float32"), "from float16", "quantize the model"),
        (
            conversion_of("QUANTIZE", "int8", "int8", target={"scale": 1e-12}),
            "not below 2**31",
            "quantize the model again",
        ),
        (
            conversion_of("QUANTIZE", "int8", "int32", target={"scale": 1.0, "zero_point": 2**40}),
            "zero point 1099511627776 is no int32",
            "quantize the model again",
        ),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
