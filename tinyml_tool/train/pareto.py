"""Which of many points none other beats on all counts."""

from __future__ import annotations

from collections.abc import Sequence

Point = Sequence[float]
"""One number a count, each the better the smaller."""


def dominates(one: Point, other: Point) -> bool:
    """Whether `one` is nowhere worse and somewhere better.

    >>> dominates((1, 2), (1, 3)), dominates((1, 2), (1, 2)), dominates((0, 9), (1, 2))
    (True, False, False)
    """
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def front(points: Sequence[Point]) -> list[int]:
    """Indices of the points that no other dominates, in order.

    >>> front([(1, 5), (2, 2), (3, 3), (5, 1)])
    [0, 1, 3]
    """
    return [
        index
        for index, point in enumerate(points)
        if not any(dominates(other, point) for other in points)
    ]


def layers_of(points: Sequence[Point]) -> list[list[int]]:
    """The front, the front of what is left, and so on (Deb et al. 2002, non-dominated sorting)."""
    left = list(range(len(points)))
    found: list[list[int]] = []
    while left:
        layer = [left[i] for i in front([points[index] for index in left])]
        found.append(layer)
        left = [index for index in left if index not in layer]
    return found
