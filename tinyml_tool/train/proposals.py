"""Which networks a search tries next: neighbours of the best so far (evolution by mutation)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_tool.train.pareto import Point, layers_of
from tinyml_tool.train.search_space import Candidate, SearchSpace

PARENTS = 6
_TRIES = 200
_CROSSED = 0.3


def propose(
    space: SearchSpace,
    known: Sequence[tuple[Candidate, Point | None]],
    count: int,
    rng: np.random.Generator,
) -> list[Candidate]:
    """Up to `count` networks that are not in `known` yet.

    `known` holds what was tried before, with its point where it was trained.  Without such points
    they are random; else parents are taken front by front, of each those with the smallest
    first count first.  Fewer come where the space is used up.
    """
    points = [(candidate, point) for candidate, point in known if point is not None]
    parents = [
        points[index][0]
        for layer in layers_of([point for _, point in points])
        for index in sorted(layer, key=lambda index: tuple(points[index][1]))
    ][:PARENTS]
    seen = {candidate.id for candidate, _ in known}
    chosen: list[Candidate] = []
    for _ in range(_TRIES * count):
        if len(chosen) == count:
            break
        child = _child(space, parents, rng)
        if child.id not in seen:
            seen.add(child.id)
            chosen.append(child)
    return chosen


def _child(space: SearchSpace, parents: Sequence[Candidate], rng: np.random.Generator) -> Candidate:
    if not parents:
        return space.random(rng)
    one = parents[int(rng.integers(len(parents)))]
    if rng.random() < _CROSSED:
        other = parents[int(rng.integers(len(parents)))]
        return space.crossed(one, other, rng)
    return space.mutated(one, rng)
