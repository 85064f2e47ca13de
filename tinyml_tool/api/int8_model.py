"""The int8 model of a training's float one, as `tinyml quantize` makes it."""

from __future__ import annotations

from pathlib import Path

from tinyml_tool.importers.normalise import normalise
from tinyml_tool.quantization.ai_edge import quantize_with_ai_edge
from tinyml_tool.quantization.options import QuantizationOptions
from tinyml_tool.quantization.ranges import measure_ranges
from tinyml_tool.quantization.samples import read_samples

CALIBRATION_SAMPLES = 200


def int8_of(float_model: Path, calibration: Path, name: str) -> bytes:
    """Quantize `float_model` to int8 with ranges of the samples in `calibration` (`.npz`).

    The features that it carries go along.
    """
    source = normalise(float_model.read_bytes(), name, layout=False)
    samples = read_samples(calibration, source.graph).spread(CALIBRATION_SAMPLES)
    ranges = measure_ranges(source.data, source.graph, samples, lambda _: None)
    made = quantize_with_ai_edge(source.data, source.graph, ranges, QuantizationOptions())
    return source.told(made)
