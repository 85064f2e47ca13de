"""Ticks become instructions exactly where an emulator counts them, and nowhere else."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tinyml_tool.devices.link.calibration import benchmark_from
from tinyml_tool.protocol import BenchmarkReply

CALL = 9
"""Instructions around a spin."""


def counted(hz: int, shift: int, instructions: int, *, count: int = 3) -> BenchmarkReply:
    """What a device in an emulator that gives each instruction 2**shift ns would reply."""
    rate = Fraction(10**9, hz) / 2**shift

    def ticks(amount: int) -> int:
        return int(amount / rate)

    empty = ticks(4)
    one = ticks(instructions) + empty
    return BenchmarkReply(
        count=count,
        total=count * one,
        least=one,
        most=one,
        empty=empty,
        spin_instructions=2,
        short_loops=1000,
        short_spin=ticks(2000 + CALL),
        long_loops=101000,
        long_spin=ticks(202000 + CALL),
    )


@pytest.mark.parametrize("hz", [16_000_000, 25_000_000, 32_000_000, 168_000_000])
@pytest.mark.parametrize("shift", [0, 3, 6])
def test_instructions_are_found_for_any_timer_and_shift(hz: int, shift: int) -> None:
    benchmark = benchmark_from(counted(hz, shift, 2_900_000), hz)
    assert benchmark.instructions_per_tick == Fraction(10**9, hz) / 2**shift
    assert benchmark.instructions == pytest.approx(2_900_000, abs=100)


def test_at_shift_6_a_tick_resolves_an_instruction() -> None:
    benchmark = benchmark_from(counted(25_000_000, 6, 18_889_658), 25_000_000)
    assert benchmark.instructions == pytest.approx(18_889_658, abs=1)


@pytest.mark.parametrize("cycles_per_loop", [2.9, 3.0, 3.1])
def test_a_real_board_does_not_count_instructions(cycles_per_loop: float) -> None:
    reply = BenchmarkReply(
        count=1,
        total=1000,
        least=1000,
        most=1000,
        empty=20,
        spin_instructions=2,
        short_loops=1000,
        short_spin=int(1000 * cycles_per_loop) + 30,
        long_loops=101000,
        long_spin=int(101000 * cycles_per_loop) + 30,
    )
    benchmark = benchmark_from(reply, 64_000_000)
    assert benchmark.instructions is None
    assert benchmark.ticks == 980


@pytest.mark.parametrize("long_spin", [0, 500, 501])
def test_a_timer_that_does_not_advance_counts_nothing(long_spin: int) -> None:
    reply = BenchmarkReply(1, 0, 0, 0, 0, 2, 1000, 500, 101000, long_spin)
    assert benchmark_from(reply, 25_000_000).instructions is None
