"""Sound files: RIFF WAVE with PCM of 8 to 32 bits or float, checked byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError

_CONVERT = "convert it, e.g. `ffmpeg -i FILE -c:a pcm_s16le FILE.wav`"
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


@dataclass(frozen=True, eq=False)
class Sound:
    """Mono sound: float32 samples in [-1, 1), at `rate` hertz."""

    samples: NDArray[np.float32]
    rate: int


@dataclass(frozen=True)
class _Format:
    tag: int
    channels: int
    rate: int
    bits: int


def read_wav(path: Path) -> Sound:
    """Read a mono file.  Raises InputError for what is broken, and for several channels."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_wav(data, str(path))


def parse_wav(data: bytes, name: str) -> Sound:
    """As `read_wav`, from a file's content."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise InputError(
            f"{name}: is no WAV file: it does not begin with RIFF and WAVE",
            hint="convert it, e.g. `ffmpeg -i FILE -ac 1 -ar 16000 FILE.wav`",
        )
    form: _Format | None = None
    for kind, start, size in _chunks(data):
        if kind == b"fmt ":
            form = _format(data[start : start + size], name)
        if kind == b"data":
            if form is None:
                raise InputError(
                    f"{name}: the chunk 'fmt ' is missing before 'data'", hint=_CONVERT
                )
            if start + size > len(data):
                have = len(data) - start
                raise InputError(
                    f"{name}: is cut off: {have:,} of {size:,} bytes of sound are there",
                    hint="copy or record it again, or remove it",
                )
            return Sound(_samples(data[start : start + size], form, name), form.rate)
    raise InputError(
        f"{name}: has no sound: the chunk 'data' is missing", hint="record it again, or remove it"
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and announced size of each chunk."""
    place = 12
    while place + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, place)
        yield kind, place + 8, size
        place += 8 + size + size % 2


def _format(chunk: bytes, name: str) -> _Format:
    if len(chunk) < 16:
        raise InputError(
            f"{name}: the chunk 'fmt ' has {len(chunk)} bytes, at least 16 are needed",
            hint=_CONVERT,
        )
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if channels != 1:
        raise InputError(
            f"{name}: has {channels} channels, 1 is needed",
            hint="mix it down to mono, e.g. `ffmpeg -i FILE -ac 1 FILE.wav`",
        )
    if rate == 0:
        raise InputError(f"{name}: has a sample rate of 0", hint=_CONVERT)
    known = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
    if bits not in known.get(tag, ()):
        raise InputError(
            f"{name}: coding {tag} with {bits} bits a sample is not read (PCM of 8, 16, 24, 32 "
            "bits and float of 32, 64 are)",
            hint=_CONVERT,
        )
    return _Format(tag, channels, rate, bits)


def _samples(data: bytes, form: _Format, name: str) -> NDArray[np.float32]:
    width = form.bits // 8
    if not data or len(data) % width:
        raise InputError(
            f"{name}: {len(data)} bytes of sound are no samples of {width} bytes",
            hint="record it again, or remove it",
        )
    if form.tag == _FLOAT:
        values = np.frombuffer(data, f"<f{width}").astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"{name}: holds NaN or infinity", hint="export it again as PCM")
        return values
    if width == 1:
        return np.asarray(np.frombuffer(data, np.uint8).astype(np.float64) / 128 - 1, np.float32)
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return (padded.reshape(-1).view("<i4").astype(np.float64) / 2**31).astype(np.float32)
    integers = np.frombuffer(data, f"<i{width}").astype(np.float64)
    scaled: NDArray[np.float32] = (integers / 2 ** (form.bits - 1)).astype(np.float32)
    return scaled
