"""The C of the micro front end."""

from __future__ import annotations

from typing import Any

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.micro_audio_spec import MicroAudioSpec
from tinyml_tool.preprocess.micro_audio_tables import (
    band_tables,
    gain_table,
    half_table,
    logarithm_table,
    twiddle_table,
    window_table,
)
from tinyml_tool.preprocess.plan import FeaturePlan, Table, ValueFormat, struct_bytes

_RATIO_BITS = 12


def micro_audio_plan(spec: MicroAudioSpec, value_format: ValueFormat) -> FeaturePlan:
    """Raises ConfigError where parameters leave the range of the front end's numbers."""
    return FeaturePlan(
        spec=spec,
        format=value_format,
        comment=f"Micro front end: {spec.frames} frames of {spec.window_samples} samples at "
        f"{spec.sample_rate} Hz, {spec.bands} bands.",
        template="features_micro_audio",
        headers=_headers(spec, value_format),
        tables=_tables(spec),
        arguments=_arguments(spec),
        sample_type="int16",
        sample_comment=f"Sound of one channel, {spec.sample_rate} samples a second.",
        state_bytes=_state_bytes(spec, value_format),
    )


def _headers(spec: MicroAudioSpec, value_format: ValueFormat) -> tuple[str, ...]:
    headers = ["bit_length", "float_math", "frame_ring", "micro_fft", "micro_filter_bank"]
    headers += ["micro_log"] if spec.log else []
    headers += ["micro_noise_reduction"] if spec.noise_reduction else []
    headers += ["micro_pcan"] if spec.pcan else []
    headers += ["quantize_f32"] if value_format.is_quantized else []
    return (*headers, "smaller")


def _correction_bits(spec: MicroAudioSpec) -> int:
    """Bits that the transform has scaled amplitudes down by, less those of the weights."""
    return spec.transform_size.bit_length() - 1 - 6


def _ratio_shift(spec: MicroAudioSpec) -> int:
    assert spec.pcan is not None
    return spec.pcan.gain_bits - _correction_bits(spec) - _RATIO_BITS


def _tables(spec: MicroAudioSpec) -> tuple[Table, ...]:
    half = spec.transform_size // 2
    try:
        bands = band_tables(spec)
    except ValueError as error:
        raise ConfigError(f"[features]: {error}", hint="lower high_hz a little") from None
    tables = [
        Table("window", window_table(spec.window_samples), "Hann window, Q3.12"),
        Table("twiddles", twiddle_table(half), f"exp(-2 pi i k / {half}), Q0.15"),
        Table("halves", half_table(half), f"exp(-i pi ((k + 1) / {half} + 1 / 2)), Q0.15"),
        Table("band_edges", bands.edges, "First line of the spectrum in each interval"),
        Table("falling", bands.falling, "Weight of each line in the band that falls, Q4.12"),
        Table("rising", bands.rising, "Weight of each line in the band that rises, Q4.12"),
    ]
    if spec.pcan is not None and spec.noise_reduction is not None:
        noise_bits = spec.noise_reduction.smoothing_bits - _correction_bits(spec)
        if noise_bits < 0 or not 0 <= _ratio_shift(spec) < 64:
            raise ConfigError(
                "[features]: pcan cannot be computed with so few bits",
                hint="raise gain_bits or smoothing_bits, or take a shorter window",
            )
        tables.append(Table("gains", gain_table(spec.pcan, noise_bits), "Gain by the noise"))
    if spec.log:
        tables.append(Table("logarithms", logarithm_table(), "log2(1 + x) - x, Q0.16"))
    return tuple(tables)


def _arguments(spec: MicroAudioSpec) -> dict[str, Any]:
    noise = spec.noise_reduction
    one = 1 << 14
    return {
        "window": spec.window_samples,
        "stride": spec.stride_samples,
        "fft_size": spec.transform_size,
        "row": spec.bands,
        "frames": spec.frames,
        "every": spec.every,
        "correction_bits": _correction_bits(spec),
        "noise_reduction": noise
        and {
            "smoothing_bits": noise.smoothing_bits,
            "even_smoothing": int(noise.even_smoothing * one),
            "odd_smoothing": int(noise.odd_smoothing * one),
            "min_remaining": int(noise.min_signal_remaining * one),
        },
        "pcan": spec.pcan and {"ratio_shift": _ratio_shift(spec)},
        "log": spec.log,
        "scale_shift": spec.scale_shift,
        "output_scale": spec.output_scale,
        "normalise": False,
    }


def _state_bytes(spec: MicroAudioSpec, value_format: ValueFormat) -> int:
    size = spec.transform_size
    words = size // 2 + 1 + spec.bands * (2 if spec.noise_reduction else 1) + 4
    return struct_bytes(
        [
            (4, words),
            (2, spec.window_samples + 2 * size),
            (value_format.dtype.itemsize, spec.frames * spec.bands),
            (1, 1),
        ]
    )
