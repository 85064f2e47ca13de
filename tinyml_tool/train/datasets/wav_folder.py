"""A folder of WAV files by class."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import Dataset, make_dataset
from tinyml_tool.train.datasets.class_folders import list_class_folders
from tinyml_tool.train.datasets.wav import Sound, read_wav

SUFFIXES = (".wav",)
_SPEAKER = re.compile(r"^(.+)_nohash_\d+$")


def read_wav_folder(folder: Path, seconds: float | None = None) -> Dataset:
    """Read all files as sounds of one length.

    With `seconds` each is cut, or filled with silence, to that length; without, all must be
    equally long.  Files named `SPEAKER_nohash_N.wav`, as in Speech Commands, are grouped by
    speaker.  Raises InputError, naming the file, for what cannot be read or does not fit.
    """
    listed = list_class_folders(folder, SUFFIXES)
    sounds = [read_wav(file.path) for file in listed.files]
    paths = [file.path for file in listed.files]
    rate = _one_rate(paths, sounds)
    length = round(seconds * rate) if seconds is not None else len(sounds[0].samples)
    if length < 1:
        raise InputError(f"{seconds} seconds at {rate} Hz are no sample")
    if seconds is None:
        _check_lengths(paths, sounds)
    samples = np.stack([_of_length(sound.samples, length) for sound in sounds])
    return make_dataset(
        str(folder),
        "sound",
        samples,
        listed.labels,
        listed.classes,
        groups=_speakers(paths),
        split=listed.split,
        sample_rate=rate,
    )


def _one_rate(paths: list[Path], sounds: list[Sound]) -> int:
    rate = sounds[0].rate
    for path, sound in zip(paths, sounds, strict=True):
        if sound.rate != rate:
            raise InputError(
                f"{path}: has {sound.rate} Hz, but {paths[0]} has {rate} Hz",
                hint=f"resample it, e.g. `ffmpeg -i FILE -ar {rate} FILE.wav`",
            )
    return rate


def _check_lengths(paths: list[Path], sounds: list[Sound]) -> None:
    first = len(sounds[0].samples)
    for path, sound in zip(paths, sounds, strict=True):
        if len(sound.samples) != first:
            raise InputError(
                f"{path}: has {len(sound.samples)} samples, but {paths[0]} has {first}",
                hint="give a length for all with --seconds: longer ones are cut, shorter ones "
                "filled with silence",
            )


def _of_length(samples: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


def _speakers(paths: list[Path]) -> np.ndarray | None:
    matches = [_SPEAKER.match(path.stem) for path in paths]
    if not all(matches):
        return None
    names = [match.group(1) for match in matches if match]
    return np.unique(names, return_inverse=True)[1]
