"""Features of motion and other series: filtered, resampled windows, or numbers that sum them up."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from tinyml_tool.preprocess.strict import PerChannel, Strict

Statistic: TypeAlias = Literal[
    "mean",
    "std",
    "rms",
    "min",
    "max",
    "peak_to_peak",
    "mean_abs",
    "zero_crossings",
    "peaks",
    "band_power",
    "peak_hz",
    "peak_power",
]
SPECTRAL = ("band_power", "peak_hz", "peak_power")


class Filter(Strict):
    """`[[features.filters]]`: sections of second order, one after the other, on each channel."""

    kind: Literal["lowpass", "highpass", "bandpass", "notch"]
    """Butterworth lowpass or highpass; bandpass and notch of one section."""
    hz: Annotated[float, Field(gt=0)]
    """Edge at -3 dB, or centre."""
    order: Literal[2, 4, 6, 8] = 2
    """Of a lowpass or highpass."""
    q: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Centre over width of a bandpass or notch."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind in ("bandpass", "notch") and self.order != 2:
            raise ValueError(f"a {self.kind} has order 2")
        return self


class SeriesSpec(Strict):
    """`kind = "series"`: scale, filter, resample, window, sum up, normalise; in this order."""

    kind: Literal["series"] = "series"
    channels: Annotated[int, Field(ge=1, le=64)] = 1
    """Values at one time; raw samples come interleaved."""
    sample: Literal["int16", "float32"] = "float32"
    """Type of a raw sample."""
    rate: Annotated[int, Field(ge=1, le=1_000_000)]
    """Samples a second of each channel."""
    scale: Annotated[float, Field(gt=0)] = 1.0
    """What a raw sample is multiplied by."""
    filters: Annotated[tuple[Filter, ...], Field(strict=False, max_length=8)] = ()
    resample: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """New rate, by linear interpolation; to a lower rate put a lowpass before it."""
    window: Annotated[int, Field(ge=2, le=8192)]
    """Samples of each channel in a window, after resampling."""
    stride: Annotated[int, Field(ge=1, le=65_536)]
    """From the start of a window to that of the next."""
    delta: bool = False
    """Differences to the sample before stand as further channels behind them."""
    summary: Annotated[tuple[Statistic, ...], Field(strict=False)] = ()
    """Numbers that sum a channel up; without any, the model gets the window itself."""
    bands_hz: Annotated[tuple[float, ...], Field(strict=False)] = ()
    """Edges of the bands of band_power, ascending: one power between each two."""
    taper: Literal["rectangular", "hann"] = "hann"
    """Weights of the samples before the Fourier transform."""
    log_offset: Annotated[float, Field(ge=1e-30, le=1e30)] | None = None
    """If given, powers become log(power + log_offset)."""
    mean: PerChannel = (0.0,)
    std: PerChannel = (1.0,)
    """In the end each value becomes (value - mean) / std: one for all, one for each channel of a
    window, or one for each number of a summary, channel by channel."""

    @property
    def window_rate(self) -> int:
        """Samples a second in the windows."""
        return self.resample or self.rate

    @property
    def columns(self) -> int:
        """Channels with their differences."""
        return self.channels * (2 if self.delta else 1)

    @property
    def statistics(self) -> int:
        """Numbers of each channel in a summary."""
        return sum(len(self.bands_hz) - 1 if s == "band_power" else 1 for s in self.summary)

    @property
    def is_spectral(self) -> bool:
        """Whether a summary needs the Fourier transform."""
        return any(name in SPECTRAL for name in self.summary)

    @property
    def transform_size(self) -> int:
        """Samples of the Fourier transform."""
        return max(8, 1 << (self.window - 1).bit_length())

    @property
    def shape(self) -> tuple[int, ...]:
        """Time, channels; or channels, numbers."""
        if self.summary:
            return (self.columns, self.statistics)
        return (self.window, self.columns)

    def windows_in(self, samples: int) -> int:
        """Windows that are complete within so many raw values, all channels counted."""
        rows = samples // self.channels
        if self.resample is not None and rows > 0:
            rows = (rows - 1) * self.resample // self.rate + 1
        return (rows - self.window) // self.stride + 1 if rows >= self.window else 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.window_rate > self.rate * self.stride:
            raise ValueError(
                f"from {self.rate} to {self.window_rate} Hz the stride must be "
                f"{-(-self.window_rate // self.rate)} or more"
            )
        for item in self.filters:
            if item.hz >= self.rate / 2:
                raise ValueError(f"a {item.kind} at {item.hz:g} Hz is not below half the rate")
        if len(set(self.summary)) != len(self.summary):
            raise ValueError("summary names a number twice")
        if ("band_power" in self.summary) != (len(self.bands_hz) > 1):
            raise ValueError("band_power and bands_hz, with two edges or more, go together")
        if list(self.bands_hz) != sorted(set(self.bands_hz)) or any(b < 0 for b in self.bands_hz):
            raise ValueError("bands_hz must ascend from 0 on")
        if self.bands_hz and self.bands_hz[-1] > self.window_rate / 2:
            raise ValueError("bands_hz reach above half the rate")
        if self.is_spectral and self.transform_size > 4096:
            raise ValueError("a window with a spectrum has at most 4096 samples")
        sizes = {1, self.columns * self.statistics if self.summary else self.columns}
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in sizes:
                raise ValueError(f"{name} has {len(values)} values, but may have {sorted(sizes)}")
        if min(self.std) <= 0:
            raise ValueError("std must be above 0")
        return self
