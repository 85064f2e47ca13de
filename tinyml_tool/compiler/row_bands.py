"""Which rows of each layer belong together where a chain of layers runs in bands of rows.

A band is some rows of the last layer's output. Going backwards, each layer's rows are
those that the windows of the next one meet; rows that two bands need are computed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_tool.graph.windows import Window


@dataclass(frozen=True)
class Rows:
    """Rows of one layer in one band."""

    input_first: int
    input_count: int
    output_first: int
    output_count: int
    pad: int
    """Rows of padding above the first one of the input."""

    @property
    def input_end(self) -> int:
        """The row behind the last one of the input."""
        return self.input_first + self.input_count

    @property
    def output_end(self) -> int:
        """The row behind the last one of the output."""
        return self.output_first + self.output_count


Band = tuple[Rows, ...]
"""One entry a layer, in the order of work."""


def rows_for(window: Window, first: int, count: int) -> Rows | None:
    """The input rows that `count` output rows from `first` on read; None where there are none."""
    begin = first * window.stride - window.pad
    end = (first + count - 1) * window.stride - window.pad + window.reach
    inside, behind = max(begin, 0), min(end, window.size)
    if inside >= behind:
        return None
    return Rows(inside, behind - inside, first, count, inside - begin)


def bands(chain: Sequence[Window], height: int) -> tuple[Band, ...] | None:
    """The chain cut into bands of `height` rows of the last output, the last band perhaps lower.

    None where a band meets nothing but padding in some layer.
    """
    total = chain[-1].output
    found = []
    for first in range(0, total, height):
        band = _band(chain, first, min(height, total - first))
        if band is None:
            return None
        found.append(band)
    return tuple(found)


def _band(chain: Sequence[Window], first: int, count: int) -> Band | None:
    layers: list[Rows] = []
    for window in reversed(chain):
        rows = rows_for(window, first, count)
        if rows is None:
            return None
        layers.append(rows)
        first, count = rows.input_first, rows.input_count
    return tuple(reversed(layers))


def computed_rows(found: Sequence[Band], layer: int) -> int:
    """Output rows of a layer in all bands together, those counted that are computed twice."""
    return sum(band[layer].output_count for band in found)
