"""ADD, SUB, MUL, MAXIMUM and MINIMUM: generated C against TensorFlow Lite Micro."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import (
    assert_bit_exact,
    assert_bit_exact_on_random_inputs,
    unsupported_reasons,
)
from model_builder import ModelBuilder
from operator_strategies import (
    Affine,
    activations,
    add_input,
    affines,
    many,
    model_of,
    scales,
    seeds,
    sweep,
    zero_points,
)

ARITHMETIC = ("ADD", "SUB", "MUL")


@dataclass(frozen=True)
class Elementwise:
    """An operator with two inputs, at most one of them a constant."""

    kind: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    inputs: tuple[Affine, Affine]
    output: Affine
    constant: int | None
    """Which input is a constant."""
    activation: str
    seed: int

    @property
    def output_shape(self) -> tuple[int, ...]:
        return np.broadcast_shapes(*self.shapes)


@st.composite
def shape_pairs(draw):
    """Shapes of up to 6 dimensions that broadcast, each of its own rank."""
    rank = draw(st.integers(0, 6))
    full = [draw(st.integers(1, 17 if rank < 3 else 4)) for _ in range(rank)]
    if draw(st.booleans()):
        return tuple(full), tuple(full)

    def part():
        kept = draw(st.integers(0, rank))
        return tuple(size if draw(st.booleans()) else 1 for size in full[rank - kept :])

    return (tuple(full), part()) if draw(st.booleans()) else (part(), part())


@st.composite
def elementwise_operators(draw, kinds):
    kind = draw(st.sampled_from(kinds))
    shapes = draw(shape_pairs())
    if draw(st.booleans()):
        shapes = shapes[::-1]
    first, second = draw(affines()), draw(affines())
    match kind:
        case "ADD" | "SUB":
            reach = max(first.scale, second.scale)
            # The reference demands 2 * reach < 2**20 * output scale.
            output = Affine(reach * draw(scales(2.0**-18, 2.0**8)), draw(zero_points()))
        case "MUL":
            reach = first.scale * second.scale * 64
            output = Affine(reach * draw(scales(2.0**-8, 2.0**20)), draw(zero_points()))
        case _:
            second = output = first
    return Elementwise(
        kind=kind,
        shapes=shapes,
        inputs=(first, second),
        output=output,
        constant=draw(st.sampled_from([None, None, 0, 1])),
        activation=draw(activations()) if kind in ARITHMETIC else "NONE",
        seed=draw(seeds()),
    )


def add_elementwise(builder: ModelBuilder, case: Elementwise) -> int:
    rng = np.random.default_rng(case.seed)
    inputs = []
    for position, (shape, quantization) in enumerate(zip(case.shapes, case.inputs, strict=True)):
        if position == case.constant:
            values = rng.integers(-128, 128, shape)
            inputs.append(builder.constant(values, "int8", **quantization.arguments()))
        else:
            inputs.append(add_input(builder, shape, quantization))
    options = {"fused_activation_function": case.activation} if case.kind in ARITHMETIC else {}
    target = builder.tensor("int8", case.output_shape, **case.output.arguments())
    return builder.operator(case.kind, inputs, target, **options)


@pytest.mark.parametrize("kind", ARITHMETIC)
@sweep(1)
@given(data=st.data())
def test_arithmetic_equals_the_reference(kind, data):
    cases = data.draw(many(elementwise_operators([kind])))
    assert_bit_exact_on_random_inputs(model_of(cases, add_elementwise))


@pytest.mark.parametrize("kind", [*ARITHMETIC, "MAXIMUM", "MINIMUM"])
def test_every_pair_of_values_equals_the_reference(kind):
    # So many results that some lie on the edge of rounding, where the last bit of a factor counts.
    rng = np.random.default_rng(5)
    builder = ModelBuilder()
    outputs = []
    for _ in range(16):
        first, second, output = (
            Affine(float(np.float32(rng.uniform(0.01, 0.02))), int(rng.integers(-128, 128)))
            for _ in range(3)
        )
        if kind in ("MAXIMUM", "MINIMUM"):
            second = output = first
        inputs = [
            builder.input("int8", (256, 1), **first.arguments()),
            builder.input("int8", (1, 256), **second.arguments()),
        ]
        target = builder.tensor("int8", (256, 256), **output.arguments())
        outputs.append(builder.operator(kind, inputs, target))
    every_value = np.arange(-128, 128, dtype=np.int8)
    inputs = [every_value.reshape(256, 1), every_value.reshape(1, 256)] * len(outputs)
    assert_bit_exact(builder.build(outputs), inputs)


@sweep(1)
@given(many(elementwise_operators(["MAXIMUM", "MINIMUM"])))
def test_selection_equals_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_elementwise))


@sweep(1)
@given(many(elementwise_operators([*ARITHMETIC, "MAXIMUM", "MINIMUM"])))
def test_elementwise_operators_have_no_undefined_behaviour(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_elementwise), sanitize=True)


@pytest.mark.slow
@sweep(150)
@given(many(elementwise_operators([*ARITHMETIC, "MAXIMUM", "MINIMUM"])))
def test_thousands_of_elementwise_operators_equal_the_reference(cases):
    assert_bit_exact_on_random_inputs(model_of(cases, add_elementwise))


@pytest.mark.parametrize("kind", [*ARITHMETIC, "MAXIMUM", "MINIMUM"])
def test_both_inputs_may_be_constants(kind):
    builder = ModelBuilder()
    quantized = {"scale": 0.1, "zero_point": 3}
    rng = np.random.default_rng(0)
    constants = [
        builder.constant(rng.integers(-128, 128, shape), "int8", **quantized)
        for shape in ((1, 5, 4), (5, 1))
    ]
    constant_sum = builder.tensor("int8", (1, 5, 4), **quantized)
    builder.operator(kind, constants, constant_sum)
    source = builder.input("int8", (1, 5, 4), **quantized)
    target = builder.tensor("int8", (1, 5, 4), **quantized)
    builder.operator("ADD", [source, constant_sum], target)
    assert_bit_exact_on_random_inputs(builder.build([target]))


@pytest.mark.parametrize("kind", [*ARITHMETIC, "MAXIMUM", "MINIMUM"])
def test_an_input_may_be_both_operands(kind):
    builder = ModelBuilder()
    quantized = {"scale": 0.1, "zero_point": 3}
    source = builder.input("int8", (1, 7), **quantized)
    target = builder.tensor("int8", (1, 7), **quantized)
    builder.operator(kind, [source, source], target)
    assert_bit_exact_on_random_inputs(builder.build([target]))


def one_operator(kind, dtype="int8", output_scale=0.1, **options) -> bytes:
    """An operator with two inputs of scale 0.1."""
    builder = ModelBuilder()
    inputs = [builder.input(dtype, (1, 4), scale=0.1, zero_point=0) for _ in range(2)]
    target = builder.tensor(dtype, (1, 4), scale=output_scale, zero_point=0)
    builder.operator(kind, inputs, target, **options)
    return builder.build([target])


@pytest.mark.parametrize(
    ("model", "cause", "fix"),
    [
        (one_operator("MUL", dtype="int32"), "input 1 type int32", "quantize the model to int8"),
        (one_operator("ADD", output_scale=1e-7), "must be below 1", "quantize the model again"),
        (one_operator("SUB", output_scale=1e-7), "must be below 1", "quantize the model again"),
        (one_operator("MUL", output_scale=1e-12), "not below 2**31", "quantize the model again"),
        (one_operator("MAXIMUM", output_scale=0.2), "different quantizations", "quantize"),
        (
            one_operator("ADD", fused_activation_function="SIGN_BIT"),
            "fused activation SIGN_BIT",
            "as a layer of its own",
        ),
    ],
)
def test_what_is_not_supported_is_said_with_the_way_out(model, cause, fix):
    reasons = unsupported_reasons(model)
    assert cause in reasons
    assert fix in reasons
