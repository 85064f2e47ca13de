"""The C of features of series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.audio_tables import twiddle_table
from tinyml_tool.preprocess.filter_design import Section, design
from tinyml_tool.preprocess.plan import FeaturePlan, Table, ValueFormat, struct_bytes
from tinyml_tool.preprocess.series_spec import SeriesSpec


def series_plan(spec: SeriesSpec, value_format: ValueFormat) -> FeaturePlan:
    """Raises ConfigError where a band of the spectrum has no line."""
    about = " x ".join(map(str, spec.shape))
    return FeaturePlan(
        spec=spec,
        format=value_format,
        comment=f"Series: windows of {spec.window} samples of {spec.channels} channels at "
        f"{spec.window_rate} Hz, {about} values.",
        template="features_series",
        headers=_headers(spec, value_format),
        tables=_tables(spec),
        arguments=_arguments(spec),
        sample_type=spec.sample,
        sample_comment=f"{spec.channels} channels interleaved, {spec.rate} samples a second of "
        "each; pushed counts are of values.",
        state_bytes=_state_bytes(spec, value_format),
    )


def _sections(spec: SeriesSpec) -> list[Section]:
    return [section for item in spec.filters for section in design(item, spec.rate)]


def _headers(spec: SeriesSpec, value_format: ValueFormat) -> tuple[str, ...]:
    headers = ["float_math", "frame_ring"]
    headers += ["biquad_f32"] if spec.filters else []
    headers += ["quantize_f32"] if value_format.is_quantized else []
    headers += ["real_fft_f32", "spectrum_f32"] if spec.is_spectral else []
    headers += ["ring_unroll_f32", "statistics_f32"] if spec.summary else []
    return tuple(sorted(headers))


def _taper(spec: SeriesSpec) -> NDArray[np.float32]:
    """Weights so that twice a squared amplitude is a line's share of the mean square."""
    n = spec.window
    hann = spec.taper == "hann"
    weights = [0.5 - 0.5 * math.cos(2 * math.pi * i / n) if hann else 1.0 for i in range(n)]
    scale = math.sqrt(2 / (spec.transform_size * sum(w * w for w in weights)))
    return np.array([w * scale for w in weights], np.float32)


def _band_lines(spec: SeriesSpec) -> NDArray[np.uint16]:
    """First line of the spectrum at or above each edge; line 0 belongs to no band."""
    hertz = spec.window_rate / spec.transform_size
    half = spec.transform_size // 2
    lines = [min(max(1, math.ceil(edge / hertz - 1e-9)), half + 1) for edge in spec.bands_hz]
    if spec.bands_hz and spec.bands_hz[-1] == spec.window_rate / 2:
        lines[-1] = half + 1
    for low, high, edge in zip(lines, lines[1:], spec.bands_hz, strict=False):
        if low == high:
            raise ConfigError(
                f"[features]: the band from {edge:g} Hz has no line of the spectrum, whose lines "
                f"are {hertz:g} Hz apart",
                hint="take wider bands or a longer window",
            )
    return np.array(lines, np.uint16)


def _tables(spec: SeriesSpec) -> tuple[Table, ...]:
    tables = []
    if spec.filters:
        values = [(s.b0, s.b1, s.b2, s.a1, s.a2) for s in _sections(spec)]
        flat = np.array(values, np.float32).reshape(-1)
        tables.append(Table("filters", flat, "b0, b1, b2, a1, a2 of each section"))
    if spec.is_spectral:
        size = spec.transform_size
        tables.append(Table("taper", _taper(spec), "Weights of the samples of a window"))
        tables.append(Table("twiddles", twiddle_table(size), f"cos and -sin of 2 pi k / {size}"))
    if spec.bands_hz:
        tables.append(Table("band_lines", _band_lines(spec), "First line of each band"))
    if _per_value(spec):
        count = max(len(spec.mean), len(spec.std))
        means, stds = (v if len(v) > 1 else v * count for v in (spec.mean, spec.std))
        tables.append(Table("means", np.array(means, np.float32), "Subtracted from each value"))
        reciprocals = np.array([1 / s for s in stds], np.float32)
        tables.append(Table("reciprocals", reciprocals, "1 / std of each value"))
    return tuple(tables)


def _per_value(spec: SeriesSpec) -> bool:
    return max(len(spec.mean), len(spec.std)) > 1


def _arguments(spec: SeriesSpec) -> dict[str, Any]:
    divisor = math.gcd(spec.rate, spec.window_rate)
    return {
        "channels": spec.channels,
        "columns": spec.columns,
        "window": spec.window,
        "stride": spec.stride,
        "sections": len(_sections(spec)),
        "scale_samples": spec.scale,
        "resample": spec.resample is not None,
        "step_in": spec.rate // divisor,
        "step_out": spec.window_rate // divisor,
        "delta": spec.delta,
        "summary": spec.summary,
        "statistics": spec.statistics,
        "spectral": spec.is_spectral,
        "bands": len(spec.bands_hz) - 1,
        "fft_size": spec.transform_size,
        "hertz_a_line": spec.window_rate / spec.transform_size,
        "log_offset": spec.log_offset,
        "per_value": _per_value(spec),
        "normalise": not _per_value(spec) and (spec.mean[0], spec.std[0]) != (0.0, 1.0),
        "mean": spec.mean[0],
        "reciprocal_std": 1 / spec.std[0],
    }


def _state_bytes(spec: SeriesSpec, value_format: ValueFormat) -> int:
    resampled = int(spec.resample is not None)
    words = spec.channels + spec.columns
    words += 2 * spec.channels * len(_sections(spec))
    words += spec.channels * (resampled + int(spec.delta))
    words += spec.window * spec.columns if spec.summary else 0
    words += spec.transform_size if spec.is_spectral else 0
    words += 3 + resampled
    values = 0 if spec.summary else spec.window * spec.columns
    flags = 1 + resampled + int(spec.delta)
    return struct_bytes([(4, words), (value_format.dtype.itemsize, values), (1, flags)])
