"""A sound file as the input of a model that takes the samples themselves."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Tensor
from tinyml_tool.verify.conversion import layout, quantize


def read_wav(path: Path, tensor: Tensor) -> NDArray[Any]:
    """Read a mono file of 8 or 16 bits a sample, exactly as long as the tensor.

    16-bit samples go unchanged into an int16 input.  For any other input a sample is the real
    number sample / 32768, for 8 bits (sample - 128) / 128, which is quantized as the model says.
    Raises InputError for other files and other lengths.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, count = file.getnchannels(), file.getsampwidth(), file.getnframes()
            _check(path.name, channels, width, count, tensor)
            data = file.readframes(count)
    except (wave.Error, EOFError) as error:
        raise InputError(f"{path.name} is no .wav file that can be read: {error}") from None
    if len(data) != count * width:
        raise InputError(f"{path.name} is cut off: {len(data) // width} of {count} samples")
    if width == 2 and tensor.dtype.numpy == np.int16:
        return np.frombuffer(data, "<i2").astype(np.int16).reshape(tensor.shape)
    real = _real_numbers(data, width).reshape(tensor.shape)
    if tensor.dtype.numpy == np.float32:
        return real.astype(np.float32)
    return quantize(path.name, real, tensor)


def _real_numbers(data: bytes, width: int) -> NDArray[np.float64]:
    if width == 2:
        return np.frombuffer(data, "<i2").astype(np.float64) / 32768
    return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128


def _check(name: str, channels: int, width: int, count: int, tensor: Tensor) -> None:
    if channels != 1:
        raise InputError(f"{name} has {channels} channels, expected 1", hint="mix it down to mono")
    if width not in (1, 2):
        raise InputError(f"{name} has {8 * width} bits a sample, expected 8 or 16")
    if count != tensor.elements:
        raise InputError(
            f"{name} has {count} samples, but the model's input {layout(tensor)} takes "
            f"{tensor.elements} values",
            hint="a model on features (a spectrogram, MFCC) needs these features, not the sound: "
            f"compute them and give them as a .npy file of shape "
            f"{'x'.join(map(str, tensor.shape))}",
        )
