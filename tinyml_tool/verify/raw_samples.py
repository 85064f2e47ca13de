"""Raw samples of a sensor from files: sound, pictures, tables of numbers."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.audio_spec import AudioSpec
from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.preprocess.micro_audio_spec import MicroAudioSpec
from tinyml_tool.preprocess.series_spec import SeriesSpec
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.verify.camera_formats import encode_picture
from tinyml_tool.verify.image_file import IMAGE_SUFFIXES, read_pixels

RAW_SUFFIXES = (".wav", ".csv", ".tsv", ".raw", *IMAGE_SUFFIXES)
"""Files that hold raw samples, and never a model's input, where a model tells its features."""


def sample_type(spec: FeatureSpec) -> np.dtype[Any]:
    """The type of a raw sample."""
    match spec:
        case AudioSpec() | MicroAudioSpec():
            return np.dtype(np.int16)
        case ImageSpec():
            return np.dtype(np.uint8)
        case SeriesSpec():
            return np.dtype(spec.sample)


def read_samples(path: str | Path, spec: FeatureSpec) -> NDArray[Any]:
    """The samples in a file, in one row, as `features_push` takes them.

    `.wav` for sound, pictures for pictures, `.csv` and `.tsv` with a column a channel for series;
    for all of them `.npy` of the sample's type, and `.raw` with its little-endian bytes.  Raises
    InputError for a file that is not there or does not fit the spec.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file", hint="check the path")
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _npy(path, spec)
    if suffix == ".raw":
        return _raw(path, spec)
    match spec:
        case AudioSpec() | MicroAudioSpec() if suffix == ".wav":
            return _sound(path, spec.sample_rate)
        case ImageSpec() if suffix in IMAGE_SUFFIXES:
            return encode_picture(read_pixels(path, spec.source_width, spec.source_height), spec)
        case SeriesSpec() if suffix in (".csv", ".tsv"):
            return _table(path, spec)
    raise InputError(
        f"{path.name}: such a file holds no samples for features of kind '{spec.kind}'",
        hint={"image": "give a picture", "series": "give a .csv with a column a channel"}.get(
            spec.kind, "give a .wav"
        ),
    )


def _npy(path: Path, spec: FeatureSpec) -> NDArray[Any]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path.name} is no .npy file that can be read: {error}") from None
    wanted = sample_type(spec)
    if not isinstance(array, np.ndarray) or array.dtype != wanted:
        raise InputError(
            f"{path.name} holds {getattr(array, 'dtype', 'several arrays')}, raw samples are "
            f"{wanted}"
        )
    return array.reshape(-1)


def _raw(path: Path, spec: FeatureSpec) -> NDArray[Any]:
    wanted = sample_type(spec)
    data = path.read_bytes()
    if len(data) % wanted.itemsize:
        raise InputError(f"{path.name} has {len(data)} bytes: no whole samples of {wanted}")
    return np.frombuffer(data, wanted.newbyteorder("<")).astype(wanted)


def _sound(path: Path, rate: int) -> NDArray[np.int16]:
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, found = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise InputError(f"{path.name} is no .wav file that can be read: {error}") from None
    if channels != 1 or width != 2:
        raise InputError(
            f"{path.name} has {channels} channels of {8 * width} bits, expected 1 of 16",
            hint="convert it: sox in.wav -c 1 -b 16 out.wav",
        )
    if found != rate:
        raise InputError(
            f"{path.name} has {found} samples a second, the features are made of {rate}",
            hint=f"convert it: sox in.wav -r {rate} out.wav",
        )
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)


def _table(path: Path, spec: SeriesSpec) -> NDArray[Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: cannot be read: {error}") from None
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = next((mark for mark in "\t;," if lines and mark in lines[0]), None)
    rows = [line.split(delimiter) for line in lines]
    if rows and not _is_number(rows[0][0]):
        rows = rows[1:]  # names of the columns
    for number, row in enumerate(rows, start=1 + len(lines) - len(rows)):
        if len(row) != spec.channels or not all(map(_is_number, row)):
            raise InputError(
                f"{path.name}: line {number} is not {spec.channels} numbers, one a channel",
                hint="leave out other columns, such as the time",
            )
    values = np.array([[float(cell) for cell in row] for row in rows], np.float64).reshape(-1)
    if spec.sample == "int16":
        if len(values) and (np.abs(values).max() > 32767 or (values != np.rint(values)).any()):
            raise InputError(f"{path.name}: the samples must be whole numbers of 16 bits")
        return values.astype(np.int16)
    return values.astype(np.float32)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
