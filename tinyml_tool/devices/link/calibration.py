"""From ticks of the device's timer to instructions, where an emulator counts them.

An emulator that counts instructions gives each one 2**n nanoseconds of the guest's time, so two
spins of known length tell n, and with it the exact rate; see `BenchmarkReply`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tinyml_tool.protocol import BenchmarkReply

_TOLERANCE = 1e-3
_CALL_INSTRUCTIONS = 64
"""More than calling port_spin() and reading the timer takes."""


@dataclass(frozen=True)
class Benchmark:
    """What measuring `count` inferences gave."""

    count: int
    timer_hz: int
    ticks: float
    """Mean of one inference, without the measuring."""
    least_ticks: int
    most_ticks: int
    instructions_per_tick: Fraction | None
    """None where ticks do not count instructions: on a board, or in an emulator that does not."""
    instructions: int | None
    """Of one inference; None where nothing counts them."""
    emulated: bool = False
    """Whether the device says that an emulator runs it."""
    empty_ticks: float = 0.0
    """What measuring takes by itself."""

    @property
    def seconds(self) -> float | None:
        """Time of one inference by a board's timer; None in an emulator: it would mean nothing."""
        return None if self.emulated or not self.timer_hz else self.ticks / self.timer_hz


def benchmark_from(reply: BenchmarkReply, timer_hz: int, *, emulated: bool) -> Benchmark:
    """The result of BENCHMARK.

    A board's clock may fit the rate of an instruction counter by chance: only an emulator has one.
    """
    rate = instructions_per_tick(reply, timer_hz) if emulated else None
    return Benchmark(
        count=reply.count,
        timer_hz=timer_hz,
        ticks=max(0.0, reply.total / reply.count - reply.empty_least),
        least_ticks=max(0, reply.least - reply.empty_least),
        most_ticks=max(0, reply.most - reply.empty_least),
        instructions_per_tick=rate,
        instructions=None if rate is None else _instructions(reply, rate),
        emulated=emulated,
        empty_ticks=(reply.empty_least + reply.empty_most) / 2,
    )


def _instructions(reply: BenchmarkReply, rate: Fraction) -> int:
    mean = Fraction(reply.total, reply.count)
    empty = Fraction(reply.empty_least + reply.empty_most, 2)
    return _whole(reply.least, reply.most, mean, rate) - _whole(
        reply.empty_least, reply.empty_most, empty, rate
    )


def instructions_between(samples: Sequence[int], rate: Fraction) -> int:
    """The instructions of one thing that was measured several times, in ticks; `rate` a tick."""
    mean = Fraction(sum(samples), len(samples))
    return _whole(min(samples), max(samples), mean, rate)


def _whole(least: int, most: int, mean: Fraction, rate: Fraction) -> int:
    """The whole number of instructions that took from `least` to `most` ticks.

    A timer rounds a time down or up to whole ticks.  Where it did both, the time lies between, and
    as an instruction takes more than a tick, only one number of them can.
    """
    if most == least + 1:
        candidate = math.floor(least * rate) + 1
        if candidate < most * rate:
            return candidate
    return round(mean * rate)


def instructions_per_tick(reply: BenchmarkReply, timer_hz: int) -> Fraction | None:
    """The exact rate, or None where the spins do not fit one of an instruction counter."""
    ticks = reply.long_spin - reply.short_spin
    if ticks <= 0 or timer_hz <= 0:
        return None
    loops = reply.long_loops - reply.short_loops
    rate = Fraction(loops * reply.spin_instructions, ticks)
    period = _period(timer_hz)
    shift = round(math.log2(period / rate))
    exact = period / Fraction(2) ** shift
    short_instructions = float((reply.short_spin - reply.empty_least) * exact)
    over = short_instructions - reply.short_loops * reply.spin_instructions
    slack = _CALL_INSTRUCTIONS + 2 * float(exact)
    if shift < 0 or abs(float(rate / exact) - 1) > _TOLERANCE or not -slack < over < slack:
        return None
    return exact


def _period(timer_hz: int) -> Fraction:
    """Nanoseconds of a tick.  Emulators hold periods, so a frequency may be a rounded one."""
    whole = round(Fraction(10**9, timer_hz))
    if whole > 0 and round(Fraction(10**9, whole)) == timer_hz:
        return Fraction(whole)
    return Fraction(10**9, timer_hz)
