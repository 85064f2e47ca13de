"""Whether a model fits a real board: the framework takes its part, and so may the constants."""

from __future__ import annotations

import numpy as np
import pytest
from model_builder import ModelBuilder

from tinyml_tool.boards import Board, load_board, load_boards
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.footprint import (
    check_fits,
    fits,
    flash_on,
    footprint_estimate,
    ram_on,
)
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.target import Target
from tinyml_tool.errors import DoesNotFitError
from tinyml_tool.graph.reader import parse_model


def plan_of(*, arena: int = 0, weights: int = 0) -> Plan:
    """A plan whose tensors and weights take at least these bytes."""
    builder = ModelBuilder()
    if weights:
        x = builder.input("int8", (1, weights // 100), scale=0.5)
        values = builder.constant(np.ones((100, weights // 100), np.int8), scale=0.25)
        y = builder.tensor("int8", (1, 100), scale=2.0)
        builder.operator("FULLY_CONNECTED", [x, values, -1], y)
    else:
        # A layer that moves values about cannot have its output over its input.
        x = builder.input("int8", (2, arena // 2), scale=0.5)
        order = builder.constant([1, 0], "int32")
        y = builder.tensor("int8", (arena // 2, 2), scale=0.5)
        builder.operator("TRANSPOSE", [x, order], y)
    return compile_graph(parse_model(builder.build([y]), "large"), Target(load_board("esp32").core))


def without_framework(board: Board) -> Board:
    return board.model_copy(update={"memory": board.memory.model_copy(update={"framework": None})})


@pytest.mark.parametrize("name", ["nucleo_l432kc", "nano33ble", "pico", "esp32s3"])
def test_the_framework_takes_its_part_of_both_memories(name: str) -> None:
    board = load_board(name)
    framework = board.memory.framework
    assert framework is not None
    footprint = footprint_estimate(plan_of(arena=1000))
    bare = without_framework(board)
    assert ram_on(footprint, board) - ram_on(footprint, bare) == framework.ram
    assert flash_on(footprint, board) - flash_on(footprint, bare) == framework.flash


def test_a_model_that_would_fit_without_the_framework_does_not_fit_with_it() -> None:
    board = load_board("esp32")
    footprint = footprint_estimate(plan_of(arena=50_000))
    assert board.memory.ram.size > ram_on(footprint, without_framework(board))
    assert not fits(footprint, board)


def test_a_large_arena_is_refused_with_the_numbers_of_the_board() -> None:
    board = load_board("nucleo_l432kc")
    with pytest.raises(DoesNotFitError) as caught:
        check_fits(plan_of(arena=70_000), board)
    assert "nucleo_l432kc has 65,536" in caught.value.message


def test_too_many_weights_are_refused_with_the_numbers_of_the_board() -> None:
    board = load_board("nucleo_l432kc")
    with pytest.raises(DoesNotFitError, match=r"flash: the weights need .* has 262,144"):
        check_fits(plan_of(weights=300_000), board)


def test_weights_take_ram_where_constants_are_copied_there() -> None:
    plan = plan_of(weights=600_000)
    with pytest.raises(DoesNotFitError, match=r"RAM: tensors .*, weights \(600,\d+\)"):
        check_fits(plan, load_board("teensy40"))
    check_fits(plan, load_board("portenta_h7"))


def test_a_board_is_named_that_is_large_enough_emulated_ones_first() -> None:
    with pytest.raises(DoesNotFitError) as caught:
        check_fits(plan_of(arena=70_000), load_board("nucleo_l432kc"), load_boards().values())
    hint = caught.value.hint or ""
    named = hint.partition(": ")[2].partition(";")[0].split(", ")
    assert named[0] == "qemu-m55"
    assert [load_board(name).is_real for name in named] == sorted(
        load_board(name).is_real for name in named
    )
    assert len(named) == 12
    assert "`tinyml inspect` lists all" in hint
