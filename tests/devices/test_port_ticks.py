"""Timers: 64 bits that never run backwards, and instructions counted to the last one."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from selftest_firmware import BOARDS, BuildFor, build, need_tools, number, numbers, play

from tinyml_tool.boards import Board

SPINS = (0, 1, 2, 3, 1000, 2000, 1001000)
NANOSECONDS_PER_INSTRUCTION = 64
PORT_SPIN_INSTRUCTIONS = 2


def tick_rate(board: Board) -> int:
    assert board.emulator
    return board.emulator.timer_hz or board.timer.hz


def systick_variant(board: Board) -> Board:
    timer = board.timer.model_copy(update={"driver": "systick", "hz": board.clock_hz})
    return board.model_copy(update={"timer": timer})


def test_the_same_spin_takes_the_same_ticks_in_every_run(board: Board, selftest: BuildFor) -> None:
    runs = [numbers(play(board, selftest(board), "ticks")[0], "ticks") for _ in range(2)]
    assert len(runs[0]) == len(SPINS)
    assert runs[0] == runs[1]


def test_a_spin_of_known_length_gives_the_exact_rate_of_the_timer(
    board: Board, selftest: BuildFor
) -> None:
    text, _ = play(board, selftest(board), "ticks")
    ticks = dict(zip(SPINS, numbers(text, "ticks"), strict=True))
    instructions = PORT_SPIN_INSTRUCTIONS * (1001000 - 1000)
    expected = Fraction(instructions * NANOSECONDS_PER_INSTRUCTION * tick_rate(board), 10**9)
    assert abs(ticks[1001000] - ticks[1000] - expected) <= 2
    assert number(text, "hz") == tick_rate(board)


def test_one_more_loop_is_seen(board: Board, selftest: BuildFor) -> None:
    text, _ = play(board, selftest(board), "ticks")
    _, one, two, three, *_ = numbers(text, "ticks")
    per_loop = PORT_SPIN_INSTRUCTIONS * NANOSECONDS_PER_INSTRUCTION * tick_rate(board) / 10**9
    assert per_loop >= 2  # an instruction is at least one tick
    assert 0 < two - one < per_loop + 2  # each reading is rounded down
    assert 0 < three - two < per_loop + 2


@pytest.mark.parametrize(
    "board", [b for b in BOARDS if b.id in ("qemu-m0", "qemu-m4", "qemu-m55")], ids=lambda b: b.id
)
def test_ticks_go_on_beyond_32_bits(board: Board, selftest: BuildFor) -> None:
    """1,024 ns an instruction, so that 300 million of them pass the wrap of the counter."""
    text, _ = play(board, selftest(board), "clock", shift=10)
    assert "backwards" not in text
    expected = 300_000_000 * 1024 * tick_rate(board) / 10**9
    assert expected > 2**32
    assert number(text, "ticks") == pytest.approx(expected, rel=1e-3)


def test_ticks_of_the_stm32_timer_go_on_beyond_32_bits(selftest: BuildFor) -> None:
    (board,) = [b for b in BOARDS if b.id == "netduinoplus2"]
    text, _ = play(board, selftest(board), "clock", shift=10)
    assert "backwards" not in text
    assert number(text, "ticks") == pytest.approx(300_000_000 * 1.024e-6 * 1e9 / 42, rel=1e-3)
    assert number(text, "ticks") > 2**32


def test_systick_is_extended_beyond_its_24_bits(m4: Board, tmp_path: Path) -> None:
    need_tools()
    board = systick_variant(m4)
    text, _ = play(board, build(board, tmp_path), "clock", shift=6)
    assert "backwards" not in text
    assert number(text, "ticks") == pytest.approx(300_000_000 * 1.6, rel=1e-3)
