"""What the rest of the tool asks of a reference: the answers a device has to give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray


class Reference(Protocol):
    """An interpreter of one model on the host, trusted to be right."""

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """One inference: an array for each model input gives an array for each model output."""
        ...

    def run_layers(self, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """One inference: the value of every operator's outputs, by tensor index."""
        ...

    def arena_bytes(self) -> int:
        """Bytes of working memory that this interpreter itself needs for the model, on the host."""
        ...
