"""What AVERAGE_POOL_2D on int8 costs by either of its bodies, on each core with DSP instructions.

Measured and printed by `benchmarks/calibrate_pooling.py` (arm-none-eabi-gcc 12.2, -O2).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """Instructions for four channels of one output: `base`, and `slope` for each element."""

    base: float
    slope: float

    def at(self, taps: int) -> float:
        """Instructions for a window of so many elements."""
        return self.base + self.slope * taps


@dataclass(frozen=True)
class PoolingCosts:
    """Of four channels at a time, and of one at a time."""

    fours: Line
    ones: Line


_COSTS = {
    "cortex-m4": PoolingCosts(fours=Line(61.3, 8.0), ones=Line(-2.3, 20.9)),
    "cortex-m7": PoolingCosts(fours=Line(63.0, 8.0), ones=Line(-1.9, 20.9)),
    "cortex-m33": PoolingCosts(fours=Line(61.6, 8.0), ones=Line(-2.3, 20.9)),
    "cortex-m55": PoolingCosts(fours=Line(67.1, 7.6), ones=Line(-6.1, 21.7)),
}
_OTHERS = "cortex-m4"


def pooling_costs(core: str) -> PoolingCosts:
    """The costs on a core; those of the Cortex-M4 where it was not measured."""
    return _COSTS.get(core, _COSTS[_OTHERS])
