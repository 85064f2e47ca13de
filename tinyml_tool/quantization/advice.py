"""Which layers lose most when quantized, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinyml_tool.graph.types import DType, Graph, Operator, Tensor
from tinyml_tool.quantization.int16_layers import CANDIDATES
from tinyml_tool.quantization.noise import LayerNoise, NoiseProfile
from tinyml_tool.quantization.ranges import Range

ENOUGH_SAMPLES = 100
"""Calibration samples below which more of them are the first thing to try."""
QUIET_DB = 30.0
"""Layers above this ratio are left alone: the noise is below a thousandth of the signal."""
PEAKED = 12.0
"""Largest over root mean square from which a range is called stretched by outliers."""
UNEVEN_CHANNELS = 8.0
"""Largest over median channel magnitude from which one scale for all channels is too coarse."""
_WORST = 3


@dataclass(frozen=True)
class Advice:
    """A noisy layer of the float model, why, and what may help."""

    layer: str
    index: int
    sqnr_db: float
    added_db: float
    cause: str
    suggestion: str


def advise(
    profile: NoiseProfile,
    before: Graph,
    after: Graph,
    ranges: Mapping[int, Range],
    calibration_samples: int,
) -> tuple[Advice, ...]:
    """Up to three layers that add most noise, worst first; none where all is quiet.

    Layers that multiply or add are ranked by the noise they add to what enters them, among those
    below `QUIET_DB`.  Others (SOFTMAX) only amplify the noise of the layers before them.
    """
    noisy = [
        layer
        for layer in profile.layers
        if layer.sqnr_db < QUIET_DB and layer.added_db > 0 and layer.kind in CANDIDATES
    ]
    noisy.sort(key=lambda layer: (-layer.added_db, layer.sqnr_db))
    by_name = {tensor.name: tensor.index for tensor in after.tensors}
    return tuple(
        _advice(layer, before, after, by_name, ranges, calibration_samples)
        for layer in noisy[:_WORST]
    )


def _advice(
    layer: LayerNoise,
    before: Graph,
    after: Graph,
    by_name: Mapping[str, int],
    ranges: Mapping[int, Range],
    samples: int,
) -> Advice:
    operator = before.operators[layer.index]
    cause, suggestion = _reason(operator, before, after, by_name, ranges, samples)
    return Advice(layer.layer, layer.index, layer.sqnr_db, layer.added_db, cause, suggestion)


def _reason(
    operator: Operator,
    before: Graph,
    after: Graph,
    by_name: Mapping[str, int],
    ranges: Mapping[int, Range],
    samples: int,
) -> tuple[str, str]:
    if _has_int4_weights(operator, before, after, by_name):
        return "4 bits are coarse for its weights", "int8 weights: --scheme int8"
    in_int16 = f"int16 for this layer: --scheme mixed --int16 {operator.index}"
    spread = _channel_spread(operator, before)
    if spread > UNEVEN_CHANNELS and _is_per_tensor(operator, before, after, by_name):
        return (
            f"one channel's weights are {spread:.0f} times the usual, and one scale serves all",
            "quantize the weights per channel (--backend ai-edge)",
        )
    if samples < ENOUGH_SAMPLES:
        return (
            f"its range comes from {samples} samples only",
            f"more calibration data ({ENOUGH_SAMPLES} samples or more), then {in_int16}",
        )
    seen = ranges.get(operator.outputs[0])
    if seen is not None and seen.peak_ratio > PEAKED:
        return (
            f"outliers: its largest value is {seen.peak_ratio:.0f} times the usual",
            f"{in_int16}; or bound the activation (ReLU6) and train again",
        )
    return (
        "8 bits are coarse for its values",
        f"{in_int16}; or quantization-aware training",
    )


def _channel_spread(operator: Operator, before: Graph) -> float:
    """Largest over median magnitude of the output channels' weights; 0 without weights."""
    if operator.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0.0
    weights = before.tensor(operator.inputs[1]).data
    if weights is None or weights.dtype.kind != "f" or weights.ndim < 2:
        return 0.0
    axis = weights.ndim - 1 if operator.kind == "DEPTHWISE_CONV_2D" else 0
    others = tuple(i for i in range(weights.ndim) if i != axis)
    peaks = np.abs(weights).max(axis=others)
    usual = float(np.median(peaks))
    return float(peaks.max()) / usual if usual > 0 else 0.0


def _is_per_tensor(
    operator: Operator, before: Graph, after: Graph, by_name: Mapping[str, int]
) -> bool:
    weights = _quantized_weights(operator, before, after, by_name)
    stored = None if weights is None else weights.quantization
    return stored is not None and not stored.per_channel


def _has_int4_weights(
    operator: Operator, before: Graph, after: Graph, by_name: Mapping[str, int]
) -> bool:
    weights = _quantized_weights(operator, before, after, by_name)
    return weights is not None and weights.dtype is DType.INT4


def _quantized_weights(
    operator: Operator, before: Graph, after: Graph, by_name: Mapping[str, int]
) -> Tensor | None:
    if len(operator.inputs) < 2:
        return None
    index = by_name.get(before.tensor(operator.inputs[1]).name)
    return None if index is None else after.tensor(index)
