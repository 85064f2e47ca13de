"""Features of sound by whole numbers: the audio front end of TensorFlow Lite Micro."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tinyml_tool.preprocess.audio_spec import (
    MAX_RATE,
    MIN_RATE,
    check_band_edges,
    check_frames,
    frame_samples,
    windows_in_frames,
)
from tinyml_tool.preprocess.strict import Strict

Share = Annotated[float, Field(ge=0, le=1)]


class NoiseReduction(Strict):
    """`[features.noise_reduction]`: a slow estimate of the noise in each band is subtracted."""

    smoothing_bits: Annotated[int, Field(ge=0, le=14)] = 10
    """Fraction bits of an estimate."""
    even_smoothing: Share = 0.025
    """Share of the new amplitude in the estimate, in bands 0, 2, ..."""
    odd_smoothing: Share = 0.06
    """The same in bands 1, 3, ..."""
    min_signal_remaining: Share = 0.05
    """Share of an amplitude that is always left."""


class Pcan(Strict):
    """`[features.pcan]`: gain (offset + noise)^-strength, by the estimates of noise_reduction."""

    strength: Annotated[float, Field(ge=0, le=4)] = 0.95
    offset: Annotated[float, Field(gt=0)] = 80.0
    gain_bits: Annotated[int, Field(ge=16, le=28)] = 21
    """Fraction bits of the gain."""


class MicroAudioSpec(Strict):
    """`kind = "micro_audio"`: amplitudes of mel bands in whole numbers, bit for bit as TFLM's.

    Each stored value v of the front end is the real number v * output_scale.
    """

    kind: Literal["micro_audio"] = "micro_audio"
    sample_rate: Annotated[int, Field(ge=MIN_RATE, le=MAX_RATE)] = 16_000
    window_ms: Annotated[float, Field(gt=0)] = 30.0
    stride_ms: Annotated[float, Field(gt=0)] = 20.0
    frames: Annotated[int, Field(ge=1, le=10_000)] = 49
    every: Annotated[int, Field(ge=1, le=10_000)] = 1
    bands: Annotated[int, Field(ge=1, le=256)] = 40
    low_hz: Annotated[float, Field(ge=0)] = 125.0
    high_hz: Annotated[float, Field(gt=0)] = 7_500.0
    noise_reduction: NoiseReduction | None = NoiseReduction()
    pcan: Pcan | None = Pcan()
    log: bool = True
    """Take the logarithm, times 2^scale_shift."""
    scale_shift: Annotated[int, Field(ge=0, le=12)] = 6
    output_scale: Annotated[float, Field(gt=0)] = 10 / 256
    """The real number that a stored 1 means; 10 / 256 as the example micro_speech was trained."""

    @property
    def window_samples(self) -> int:
        """Samples of a frame."""
        return frame_samples(self.window_ms, self.sample_rate)

    @property
    def stride_samples(self) -> int:
        """Samples from a frame to the next."""
        return frame_samples(self.stride_ms, self.sample_rate)

    @property
    def transform_size(self) -> int:
        """Samples of the Fourier transform: a power of two."""
        return 1 << (self.window_samples - 1).bit_length()

    @property
    def shape(self) -> tuple[int, ...]:
        """What a model gets: frames, bands."""
        return (self.frames, self.bands)

    def windows_in(self, samples: int) -> int:
        """Inputs of the model that are complete within so many samples."""
        return windows_in_frames(
            samples, self.window_samples, self.stride_samples, self.frames, self.every
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_frames(self.window_samples, self.stride_samples)
        check_band_edges(self.low_hz, self.high_hz, self.sample_rate)
        if self.pcan is not None and self.noise_reduction is None:
            raise ValueError("pcan needs the estimates of noise_reduction")
        return self
