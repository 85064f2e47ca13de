"""The range of every activation of a float model on the user's samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.graph.problem import layer_name
from tinyml_tool.graph.types import Graph
from tinyml_tool.quantization.samples import Samples
from tinyml_tool.reference.litert import LitertReference


@dataclass(frozen=True)
class Range:
    """Smallest and largest value seen, and the root of the mean square."""

    low: float
    high: float
    rms: float

    @property
    def peak_ratio(self) -> float:
        """How far the largest magnitude lies above the usual one."""
        return max(-self.low, self.high) / self.rms if self.rms > 0 else 0.0


def measure_ranges(
    model: bytes, graph: Graph, samples: Samples, progress: Callable[[str], None]
) -> Mapping[int, Range]:
    """Run the model on every sample; the ranges of inputs and operators' outputs by tensor.

    Minimum and maximum over all samples, not an average of them: what a sample reaches shall be
    representable.  Raises InputError where a layer overflows, or where the samples do not differ
    from zero anywhere, which leaves nothing to calibrate on.
    """
    reference = LitertReference(model, graph.name)
    low: dict[int, float] = {}
    high: dict[int, float] = {}
    squares: dict[int, float] = {}
    for number, vector in enumerate(samples.vectors):
        progress(f"calibrating on sample {number + 1} of {len(samples)}")
        values = dict(zip(graph.inputs, vector, strict=True)) | reference.run_layers(vector)
        for index, array in values.items():
            if array.dtype.kind != "f" or array.size == 0:
                continue
            _check_finite(graph, index, array, number)
            low[index] = min(low.get(index, np.inf), float(array.min()))
            high[index] = max(high.get(index, -np.inf), float(array.max()))
            mean_square = float(np.mean(np.square(array, dtype=np.float64)))
            squares[index] = squares.get(index, 0.0) + mean_square
    if all(low[index] == high[index] for index in graph.inputs if index in low):
        value = low[graph.inputs[0]]
        raise InputError(
            f"{samples.source}: every value of every sample is {value:g}",
            hint="calibrate on real data",
        )
    return {
        index: Range(low[index], high[index], float(np.sqrt(squares[index] / len(samples))))
        for index in low
    }


def _check_finite(graph: Graph, index: int, array: NDArray[Any], sample: int) -> None:
    if np.isfinite(array).all():
        return
    writer = next((op for op in graph.operators if index in op.outputs), None)
    where = layer_name(writer) if writer else "the input"
    raise InputError(
        f"{where} gives NaN or infinity on sample {sample}",
        hint="check that the data are scaled as for training, and the model's weights",
    )
