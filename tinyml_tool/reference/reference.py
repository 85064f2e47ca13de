"""What the rest of the tool asks of a reference: the answers a device has to give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray


class LayerRunner(Protocol):
    """An interpreter of one model on the host."""

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """One inference: an array for each model input gives an array for each model output."""
        ...

    def run_layers(self, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """One inference: the value of every operator's outputs, by tensor index."""
        ...


class Reference(LayerRunner, Protocol):
    """An interpreter that is trusted to be right about what a device has to answer."""

    def arena_bytes(self) -> int:
        """Bytes of working memory that this interpreter itself needs for the model, on the host."""
        ...
