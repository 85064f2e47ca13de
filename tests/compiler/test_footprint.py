"""What a plan takes of a board's memory, told before anything is built."""

import numpy as np
import pytest
from model_builder import ModelBuilder
from project_case import small_model, small_plan

from tinyml_tool.boards import load_board, load_boards
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.footprint import (
    check_fits,
    constant_sizes,
    fits,
    footprint_estimate,
    ram_on,
)
from tinyml_tool.compiler.target import Target
from tinyml_tool.errors import DoesNotFitError
from tinyml_tool.graph.reader import parse_model

SMALL = load_board("qemu-m0")
LARGE = load_board("qemu-m4")


def plan_with_arena(elements):
    builder = ModelBuilder()
    x = builder.input("int8", (1, elements), scale=0.5)
    y = builder.tensor("int8", (1, 2 * elements), scale=0.5)
    builder.operator("CONCATENATION", [x, x], y, axis=1)
    return compile_graph(parse_model(builder.build([y]), "wide"), Target(SMALL.core))


def test_the_arena_is_that_of_the_plan():
    plan = small_plan()
    assert footprint_estimate(plan).arena_bytes == plan.memory.arena_bytes


def test_weights_are_counted():
    plan = small_plan(model=small_model(100, 70))
    assert any(7_000 <= size < 7_500 for size in constant_sizes(plan))
    assert footprint_estimate(plan).certain_flash_bytes >= 7_000


def test_a_constant_that_two_layers_use_is_counted_once():
    def sizes(layers):
        builder = ModelBuilder()
        value = builder.input("int8", (1, 300), scale=0.5)
        weights = builder.constant(np.ones((300, 300), np.int8), scale=0.25)
        for _ in range(layers):
            output = builder.tensor("int8", (1, 300), scale=2.0)
            value = builder.operator("FULLY_CONNECTED", [value, weights, -1], output)
        graph = parse_model(builder.build([value]), "shared")
        return constant_sizes(compile_graph(graph, Target(LARGE.core)))

    def large(layers):  # packed rows may be padded
        return sum(90_000 <= size < 93_000 for size in sizes(layers))

    assert large(2) == large(1) == 1


def test_a_plan_that_fits_is_not_refused():
    check_fits(small_plan("qemu-m0"), SMALL)


def test_too_many_weights_are_refused_with_the_numbers():
    plan = small_plan("qemu-m0", small_model(512, 600))
    with pytest.raises(DoesNotFitError) as caught:
        check_fits(plan, SMALL)
    needs = footprint_estimate(plan).certain_flash_bytes
    assert f"flash: the weights need {needs:,} bytes" in caught.value.message
    assert f"has 262,144: {needs - 262_144:,} bytes too many" in caught.value.message


def test_a_large_arena_is_refused_with_the_numbers():
    plan = plan_with_arena(14_000)
    arena = plan.memory.arena_bytes
    with pytest.raises(DoesNotFitError) as caught:
        check_fits(plan, SMALL)
    assert f"tensors ({arena:,}) and stack (2,048) need {arena + 2048:,}" in caught.value.message
    assert "qemu-m0 has 16,384" in caught.value.message


def test_the_stack_counts_too():
    plan = plan_with_arena(5_000)
    assert plan.memory.arena_bytes < SMALL.memory.ram.size
    with pytest.raises(DoesNotFitError):
        check_fits(plan, SMALL)


def test_boards_that_are_large_enough_are_recommended():
    with pytest.raises(DoesNotFitError) as caught:
        check_fits(plan_with_arena(40_000), SMALL, load_boards().values())
    assert "netduinoplus2" in (caught.value.hint or "")
    assert "qemu-m0" not in (caught.value.hint or "")


def test_without_a_large_enough_board_a_smaller_model_is_recommended():
    with pytest.raises(DoesNotFitError, match="wide does not fit") as caught:
        check_fits(plan_with_arena(40_000), SMALL, [SMALL])
    assert "smaller layers" in (caught.value.hint or "")


def test_both_problems_are_told_at_once():
    builder = ModelBuilder()
    x = builder.input("int8", (1, 20_000), scale=0.5)
    weights = builder.constant(np.ones((20, 20_000), np.int8), scale=0.25)
    y = builder.tensor("int8", (1, 20), scale=2.0)
    builder.operator("FULLY_CONNECTED", [x, weights, -1], y)
    plan = compile_graph(parse_model(builder.build([y]), "both"), Target(SMALL.core))
    with pytest.raises(DoesNotFitError) as caught:
        check_fits(plan, SMALL)
    assert len(caught.value.details) == 2


def test_a_small_board_gets_a_smaller_firmware():
    footprint = footprint_estimate(small_plan())
    assert ram_on(footprint, SMALL) < ram_on(footprint, LARGE) == footprint.ram_bytes


def test_an_estimate_beyond_the_board_does_not_fit():
    footprint = footprint_estimate(plan_with_arena(4_400))
    assert ram_on(footprint, SMALL) > SMALL.memory.ram.size
    assert not fits(footprint, SMALL)
    assert fits(footprint, LARGE)
