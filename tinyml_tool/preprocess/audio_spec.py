"""Features of sound by single-precision arithmetic: spectrogram, log-mel energies, MFCC."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tinyml_tool.preprocess.strict import Strict

MIN_RATE, MAX_RATE = 8_000, 48_000
MAX_WINDOW = 4_096


def frame_samples(milliseconds: float, sample_rate: int) -> int:
    """Whole samples in a time, rounded down.

    >>> frame_samples(30, 16_000), frame_samples(25, 11_025)
    (480, 275)
    """
    return int(milliseconds * sample_rate / 1000)


class AudioSpec(Strict):
    """`kind = "audio"`: frames of 16-bit sound become rows of numbers.

    Each frame is weighted by a window, transformed, and turned into `output`; the model's input is
    the newest `frames` rows, one below the other.
    """

    kind: Literal["audio"] = "audio"
    sample_rate: Annotated[int, Field(ge=MIN_RATE, le=MAX_RATE)] = 16_000
    """Samples a second."""
    window_ms: Annotated[float, Field(gt=0)] = 30.0
    """Length of a frame."""
    stride_ms: Annotated[float, Field(gt=0)] = 20.0
    """From the start of a frame to that of the next."""
    frames: Annotated[int, Field(ge=1, le=10_000)] = 49
    """Rows of the model's input."""
    every: Annotated[int, Field(ge=1, le=10_000)] = 1
    """New frames from one input of the model to the next."""
    gain: Annotated[float, Field(gt=0)] = 1 / 32_768
    """What a sample is multiplied by; by default full scale becomes 1."""
    window: Literal["hann", "hamming", "rectangular"] = "hann"
    """Weights of the samples of a frame; periodic ones."""
    fft_size: Literal[64, 128, 256, 512, 1024, 2048, 4096] | None = None
    """Length of the transform; by default the power of two from the frame's length on."""
    spectrum: Literal["power", "magnitude"] = "power"
    """Squares of the amplitudes of the transform, or the amplitudes."""
    output: Literal["spectrogram", "mel", "mfcc"] = "mel"
    """The spectrum itself, bands of the mel scale, or cosine coefficients of these."""
    bands: Annotated[int, Field(ge=1, le=256)] = 40
    """Triangular bands, evenly spaced on the mel scale (mel and mfcc)."""
    low_hz: Annotated[float, Field(ge=0)] = 20.0
    """Lower edge of the first band."""
    high_hz: Annotated[float, Field(gt=0)] = 4_000.0
    """Upper edge of the last band."""
    log: Literal["natural", "decibel", "none"] = "natural"
    """Logarithm of what came out; decibel: 10 log10 of a power, 20 log10 of a magnitude."""
    log_offset: Annotated[float, Field(ge=1e-30, le=1e30)] = 1e-6
    """What is added before the logarithm."""
    coefficients: Annotated[int, Field(ge=1, le=256)] = 10
    """Cosine coefficients of the bands, from the first (mfcc)."""
    dct: Literal["ortho", "uniform"] = "uniform"
    """Scale of the transform: orthonormal, or all coefficients as the others (TensorFlow)."""
    mean: float = 0.0
    std: Annotated[float, Field(gt=0)] = 1.0
    """In the end each value becomes (value - mean) / std."""

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
        if self.fft_size is not None:
            return self.fft_size
        return max(64, 1 << (self.window_samples - 1).bit_length())

    @property
    def row_values(self) -> int:
        """Values of one frame."""
        if self.output == "spectrogram":
            return self.transform_size // 2 + 1
        return self.bands if self.output == "mel" else self.coefficients

    @property
    def shape(self) -> tuple[int, ...]:
        """What a model gets: frames, values of each."""
        return (self.frames, self.row_values)

    def windows_in(self, samples: int) -> int:
        """Inputs of the model that are complete within so many samples."""
        return windows_in_frames(
            samples, self.window_samples, self.stride_samples, self.frames, self.every
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_frames(self.window_samples, self.stride_samples)
        if self.transform_size < self.window_samples:
            raise ValueError(
                f"fft_size {self.fft_size} is less than the {self.window_samples} samples "
                "of a frame"
            )
        if self.output != "spectrogram":
            check_band_edges(self.low_hz, self.high_hz, self.sample_rate)
        if self.output == "mfcc" and self.coefficients > self.bands:
            raise ValueError(f"{self.coefficients} coefficients of only {self.bands} bands")
        if self.output == "mfcc" and self.log == "none":
            raise ValueError("mfcc needs a logarithm: log = 'natural' or 'decibel'")
        return self


def windows_in_frames(samples: int, window: int, stride: int, frames: int, every: int) -> int:
    """Windows of `frames` frames, each `every` frames after the one before, within `samples`.

    >>> windows_in_frames(16_000, 480, 320, 49, 1), windows_in_frames(16_319, 480, 320, 49, 1)
    (1, 1)
    """
    complete = (samples - window) // stride + 1 if samples >= window else 0
    return (complete - frames) // every + 1 if complete >= frames else 0


def check_frames(window: int, stride: int) -> None:
    """Raise ValueError unless a frame of so many samples, so many apart, can be computed."""
    if not 16 <= window <= MAX_WINDOW:
        raise ValueError(f"a frame has {window} samples, but 16 to {MAX_WINDOW} are possible")
    if stride < 1:
        raise ValueError("stride_ms is less than one sample")
    if stride > 16 * MAX_WINDOW:
        raise ValueError(f"stride_ms is more than {16 * MAX_WINDOW} samples")


def check_band_edges(low_hz: float, high_hz: float, sample_rate: int) -> None:
    """Raise ValueError unless low < high <= half the sample rate."""
    if high_hz <= low_hz:
        raise ValueError(f"high_hz {high_hz:g} is not above low_hz {low_hz:g}")
    if high_hz > sample_rate / 2:
        raise ValueError(f"high_hz {high_hz:g} is above half the sample rate, {sample_rate / 2:g}")
