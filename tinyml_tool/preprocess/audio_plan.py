"""The C of audio features."""

from __future__ import annotations

import math
from typing import Any

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.audio_spec import AudioSpec
from tinyml_tool.preprocess.audio_tables import (
    band_tables,
    cosine_table,
    twiddle_table,
    window_table,
)
from tinyml_tool.preprocess.plan import FeaturePlan, Table, ValueFormat, struct_bytes

_NAMES = {"spectrogram": "Spectrogram", "mel": "Mel bands", "mfcc": "MFCC"}


def audio_plan(spec: AudioSpec, value_format: ValueFormat) -> FeaturePlan:
    """Raises ConfigError where a mel band is narrower than the lines of the spectrum."""
    return FeaturePlan(
        spec=spec,
        format=value_format,
        comment=f"{_NAMES[spec.output]}: {spec.frames} frames of {spec.window_samples} samples at "
        f"{spec.sample_rate} Hz, {spec.row_values} values each.",
        template="features_audio",
        headers=_headers(spec, value_format),
        tables=_tables(spec),
        arguments=_arguments(spec),
        sample_type="int16",
        sample_comment=f"Sound of one channel, {spec.sample_rate} samples a second.",
        state_bytes=_state_bytes(spec, value_format),
    )


def _headers(spec: AudioSpec, value_format: ValueFormat) -> tuple[str, ...]:
    headers = ["frame_ring", "real_fft_f32", "smaller"]
    if spec.output != "spectrogram":
        headers.append("mel_bands_f32")
    if spec.output == "mfcc":
        headers.append("cosine_transform_f32")
    if value_format.is_quantized:
        headers.append("quantize_f32")
    return tuple(sorted(headers))


def _tables(spec: AudioSpec) -> tuple[Table, ...]:
    size = spec.transform_size
    tables = [
        Table("window", window_table(spec), f"{spec.window} window, times {spec.gain:g}"),
        Table("twiddles", twiddle_table(size), f"cos and -sin of 2 pi k / {size}"),
    ]
    if spec.output != "spectrogram":
        try:
            edges, rise = band_tables(spec)
        except ValueError as error:
            raise ConfigError(
                f"[features]: {error}", hint="take fewer bands, a longer fft_size, a higher low_hz"
            ) from None
        tables.append(Table("band_edges", edges, "First line of the spectrum at each band edge"))
        tables.append(Table("band_rise", rise, "Weight of each line in the band that rises there"))
    if spec.output == "mfcc":
        shape = f"{spec.coefficients} x {spec.bands}"
        tables.append(Table("cosines", cosine_table(spec), f"Cosine transform, {shape}"))
    return tuple(tables)


def _log_factor(spec: AudioSpec) -> float | None:
    """What the natural logarithm is multiplied by; None where there is no logarithm."""
    if spec.log == "none":
        return None
    if spec.log == "natural":
        return 1.0
    return (10 if spec.spectrum == "power" else 20) / math.log(10)


def _arguments(spec: AudioSpec) -> dict[str, Any]:
    return {
        "window": spec.window_samples,
        "stride": spec.stride_samples,
        "fft_size": spec.transform_size,
        "bands": 0 if spec.output == "spectrogram" else spec.bands,
        "coefficients": spec.output == "mfcc",
        "row": spec.row_values,
        "frames": spec.frames,
        "every": spec.every,
        "magnitude": spec.spectrum == "magnitude",
        "log_factor": _log_factor(spec),
        "log_offset": spec.log_offset,
        "normalise": (spec.mean, spec.std) != (0.0, 1.0),
        "mean": spec.mean,
        "reciprocal_std": 1 / spec.std,
    }


def _state_bytes(spec: AudioSpec, value_format: ValueFormat) -> int:
    floats = spec.transform_size
    floats += spec.bands if spec.output != "spectrogram" else 0
    floats += spec.row_values if spec.output == "mfcc" else 0
    values = spec.frames * spec.row_values
    return struct_bytes(
        [
            (4, floats + 4),
            (2, spec.window_samples),
            (value_format.dtype.itemsize, values),
            (1, 1),
        ]
    )
