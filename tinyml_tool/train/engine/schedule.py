"""The learning rate of each epoch."""

from __future__ import annotations

import math


def learning_rate(schedule: str, base: float, epoch: int, epochs: int) -> float:
    """The rate in `epoch` (from 0) of `epochs`.  Raises ValueError for an unknown schedule.

    >>> learning_rate("cosine", 0.1, 5, 10), round(learning_rate("step", 0.1, 4, 9), 3)
    (0.05, 0.01)
    """
    if schedule == "constant":
        return base
    if schedule == "cosine":
        return base * (1 + math.cos(math.pi * epoch / epochs)) / 2
    if schedule == "step":
        return base * 0.1 ** (3 * epoch // epochs)
    raise ValueError(f"unknown schedule '{schedule}'")
