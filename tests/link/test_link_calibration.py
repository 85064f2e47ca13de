"""Ticks become instructions exactly where an emulator counts them, and nowhere else."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

from tinyml_tool.devices.link.calibration import benchmark_from
from tinyml_tool.protocol import BenchmarkReply

CALL = 9
"""Instructions around a spin."""


PERIODS = {
    16_000_000: Fraction(125, 2),
    20_000_000: Fraction(50),
    23_809_524: Fraction(42),  # rounded: the emulator's clock has a period of whole nanoseconds
    25_000_000: Fraction(40),
    32_000_000: Fraction(125, 4),
}


@dataclass
class CountingTimer:
    """The timer of an emulator that gives each instruction 2**shift ns, from some phase on."""

    period: Fraction
    """Nanoseconds of a tick."""
    shift: int
    executed: int

    @property
    def now(self) -> int:
        return self.executed * 2**self.shift // self.period

    def time(self, instructions: int) -> int:
        start = self.now
        self.executed += instructions
        return self.now - start


def counted(
    hz: int, shift: int, instructions: int, *, count: int = 8, phase: int = 0
) -> BenchmarkReply:
    """What a device in such an emulator would reply; 4 instructions are the measuring."""
    timer = CountingTimer(PERIODS[hz], shift, phase)
    chance = random.Random(phase)
    runs, nothing = [], []
    for times, results, amount in ((count, runs, instructions), (16, nothing, 0)):
        for _ in range(times):
            timer.executed += 2 * chance.randrange(32)
            results.append(timer.time(amount + 4))
    return BenchmarkReply(
        count=count,
        total=sum(runs),
        least=min(runs),
        most=max(runs),
        empty_least=min(nothing),
        empty_most=max(nothing),
        spin_instructions=2,
        short_loops=1000,
        short_spin=timer.time(2000 + CALL),
        long_loops=101000,
        long_spin=timer.time(202000 + CALL),
    )


@pytest.mark.parametrize("hz", PERIODS)
@pytest.mark.parametrize("shift", [0, 3, 6])
def test_the_rate_is_found_for_any_timer_and_shift(hz: int, shift: int) -> None:
    reply = counted(hz, shift, 2_900_000)
    assert benchmark_from(reply, hz, emulated=True).instructions_per_tick == PERIODS[hz] / 2**shift


@pytest.mark.parametrize("hz", [hz for hz, period in PERIODS.items() if period < 64])
def test_at_shift_6_the_count_is_exact_whenever_it_starts(hz: int) -> None:
    for instructions in (6000, 6001, 6002, 6003, 6004, 318_889_658):
        for phase in range(25):
            reply = counted(hz, 6, instructions, phase=phase)
            assert benchmark_from(reply, hz, emulated=True).instructions == instructions


def test_runs_of_different_length_are_averaged() -> None:
    reply = replace(
        counted(25_000_000, 6, 1000, count=1), count=2, total=4800, least=1600, most=3200
    )
    reply = replace(reply, empty_least=0, empty_most=0)
    assert benchmark_from(reply, 25_000_000, emulated=True).instructions == 1500


@pytest.mark.parametrize("cycles_per_loop", [2.9, 3.0, 3.1])
def test_a_real_board_does_not_count_instructions(cycles_per_loop: float) -> None:
    reply = BenchmarkReply(
        count=1,
        total=1000,
        least=1000,
        most=1000,
        empty_least=20,
        empty_most=21,
        spin_instructions=2,
        short_loops=1000,
        short_spin=int(1000 * cycles_per_loop) + 30,
        long_loops=101000,
        long_spin=int(101000 * cycles_per_loop) + 30,
    )
    benchmark = benchmark_from(reply, 64_000_000, emulated=True)
    assert benchmark.instructions is None
    assert benchmark.ticks == 980


def test_a_board_whose_clock_fits_an_instruction_counter_is_not_taken_for_one() -> None:
    reply = counted(25_000_000, 6, 2_900_000)
    assert benchmark_from(reply, 25_000_000, emulated=True).instructions is not None
    board = benchmark_from(reply, 25_000_000, emulated=False)
    assert board.instructions is None
    assert board.seconds == board.ticks / 25_000_000


@pytest.mark.parametrize("long_spin", [0, 500, 501])
def test_a_timer_that_does_not_advance_counts_nothing(long_spin: int) -> None:
    reply = BenchmarkReply(1, 0, 0, 0, 0, 0, 2, 1000, 500, 101000, long_spin)
    assert benchmark_from(reply, 25_000_000, emulated=True).instructions is None
