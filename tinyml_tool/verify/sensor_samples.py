"""Samples of a data set as the sensor of a device gives them: what features are computed of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.audio_spec import AudioSpec
from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.preprocess.micro_audio_spec import MicroAudioSpec
from tinyml_tool.preprocess.series_spec import SeriesSpec
from tinyml_tool.preprocess.spec import FeatureSpec, samples_of_window
from tinyml_tool.train.dataset import Dataset
from tinyml_tool.train.datasets.read import ReadOptions
from tinyml_tool.verify.camera_formats import encode_picture
from tinyml_tool.verify.raw_samples import sample_type

_LOUDEST = 2.0
"""Float sound reaches to 1; files that were mixed too loud go somewhat beyond and are cut."""


def reading_for(spec: FeatureSpec, options: ReadOptions | None) -> ReadOptions:
    """How to read data for features: as told, else in lengths of just one window.

    Sounds are cut or filled to it, tables cut into windows of so many rows.
    """
    options = options or ReadOptions()
    match spec:
        case AudioSpec() | MicroAudioSpec() if options.seconds is None:
            return replace(options, seconds=samples_of_window(spec) / spec.sample_rate)
        case SeriesSpec() if options.csv.window == 1:
            rows = samples_of_window(spec) // spec.channels
            return replace(options, csv=replace(options.csv, window=rows))
        case _:
            return options


def sensor_samples(data: Dataset, samples: NDArray[Any], spec: FeatureSpec) -> NDArray[Any]:
    """`samples` of `data`, (count, ...), as (count, values) of the type that the features take.

    Sound becomes 16-bit numbers, pictures the bytes of the camera's format, series their channels
    interleaved.  Raises InputError where the samples are of another kind, rate or size, or too
    short for one window.
    """
    raw = _raw(data, samples, spec)
    need = samples_of_window(spec)
    if raw.shape[1] < need:
        raise InputError(
            f"{data.name}: a sample has {raw.shape[1]:,} values, and one input of the features is "
            f"made of {need:,}",
            hint=_longer(spec, need),
        )
    return raw


def _raw(data: Dataset, samples: NDArray[Any], spec: FeatureSpec) -> NDArray[Any]:
    match spec:
        case AudioSpec() | MicroAudioSpec():
            return _sound(data, samples, spec.sample_rate)
        case ImageSpec():
            return _pictures(data, samples, spec)
        case SeriesSpec():
            return _series(data, samples, spec)


def are_inputs(data: Dataset, spec: FeatureSpec) -> bool:
    """Whether samples cannot be a sensor's, but may be features already."""
    match spec:
        case AudioSpec() | MicroAudioSpec():
            return data.samples.ndim > 2
        case ImageSpec():
            return data.samples.dtype != np.uint8
        case SeriesSpec():
            return False


def _longer(spec: FeatureSpec, need: int) -> str:
    match spec:
        case AudioSpec() | MicroAudioSpec():
            return f"take longer sounds (--seconds {need / spec.sample_rate:g}), or fewer frames"
        case SeriesSpec():
            return f"take longer windows (--window {need // spec.channels}), or a smaller `window`"
        case ImageSpec():
            return "give whole pictures"


def _wrong_kind(data: Dataset, samples: NDArray[Any], wanted: str) -> InputError:
    shape = "x".join(map(str, samples.shape[1:]))
    return InputError(
        f"{data.name}: samples are {shape} numbers of type {samples.dtype}, the features are made "
        f"of {wanted}",
        hint="give raw samples as the sensor gives them, or the features that suit these data",
    )


def _sound(data: Dataset, samples: NDArray[Any], rate: int) -> NDArray[np.int16]:
    if samples.ndim != 2 or samples.dtype.kind not in "if":
        raise _wrong_kind(data, samples, "sound: 16-bit numbers, or floats from -1 to 1")
    if data.sample_rate is not None and data.sample_rate != rate:
        raise InputError(
            f"{data.name}: the sounds have {data.sample_rate} Hz, the features are made of {rate}",
            hint=f"resample them, e.g. `ffmpeg -i FILE -ar {rate} FILE.wav`, or change "
            "sample_rate in [features]",
        )
    if samples.dtype == np.int16:
        return samples
    peak = float(np.abs(samples).max())
    if samples.dtype.kind == "i" or peak > _LOUDEST:
        raise InputError(
            f"{data.name}: {samples.dtype} numbers up to {peak:g} are no sound",
            hint="give int16, or floats from -1 to 1",
        )
    return np.clip(np.rint(samples.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)


def _pictures(data: Dataset, samples: NDArray[Any], spec: ImageSpec) -> NDArray[np.uint8]:
    if samples.dtype != np.uint8:
        raise _wrong_kind(data, samples, "pictures of bytes (uint8)")
    size = spec.row_bytes * spec.source_height
    if samples.ndim == 2 and samples.shape[1] == size:
        return samples  # the camera's bytes themselves
    pictures = samples[..., None] if samples.ndim == 3 else samples
    if pictures.ndim != 4 or pictures.shape[3] not in (1, 3):
        raise _wrong_kind(data, samples, "pictures of 1 or 3 channels")
    height, width = spec.source_height, spec.source_width
    if pictures.shape[1:3] != (height, width):
        raise InputError(
            f"{data.name}: pictures of {pictures.shape[1]}x{pictures.shape[2]} (height x width), "
            f"but the camera of the features has {height}x{width}",
            hint=f"scale them when they are read with --size {height}x{width}, or change "
            "source_width and source_height in [features]",
        )
    if spec.format == "grey8" and pictures.shape[3] == 1:
        return pictures.reshape(len(pictures), -1)
    coloured = pictures if pictures.shape[3] == 3 else pictures.repeat(3, axis=3)
    return np.stack([encode_picture(one, spec) for one in coloured])


def _series(data: Dataset, samples: NDArray[Any], spec: SeriesSpec) -> NDArray[Any]:
    values = samples[..., None] if samples.ndim == 2 and spec.channels == 1 else samples
    if values.ndim != 3 or values.shape[2] != spec.channels:
        raise _wrong_kind(data, samples, f"series of {spec.channels} channels (time, channels)")
    flat = values.reshape(len(values), -1)
    wanted = sample_type(spec)
    if wanted == np.float32:
        return flat.astype(np.float32)
    if flat.dtype != wanted and (np.abs(flat).max() > 32767 or (flat != np.rint(flat)).any()):
        raise InputError(
            f"{data.name}: the features are made of whole numbers of 16 bits, these are not",
            hint="give the sensor's own numbers, or sample = 'float32' in [features]",
        )
    return flat.astype(wanted)
