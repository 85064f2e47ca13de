"""Gives samples the axes that an architecture takes."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.train.architecture import LSTM_STEPS, Architecture

_NAMES = {1: "vectors", 2: "series (time, channels)", 3: "pictures (height, width, channels)"}
_SUITABLE = {
    1: "conv1d or mlp, or learn from features (of sound, say, a spectrogram)",
    2: "conv1d, tcn, lstm or mlp",
    3: "cnn, ds_cnn, mobilenet_v1, resnet8 or mlp",
}


def input_shape(shape: tuple[int, ...], arch: Architecture) -> tuple[int, ...]:
    """The model's input (without batch) for samples of `shape`; only axes of 1 are added.

    An autoencoder takes any sample as a vector.  Raises InputError where it does not fit.
    """
    if arch.rank == 1:
        return (_product(shape),)
    if arch.rank in (0, len(shape)):
        return _checked(shape, arch)
    if len(shape) == arch.rank - 1:
        return _checked((*shape, 1), arch)
    raise InputError(
        f"architecture {arch.name} takes {_NAMES[arch.rank]}, but a sample is "
        f"{'x'.join(map(str, shape))}",
        hint=f"take --arch {_SUITABLE.get(len(shape), 'mlp')}",
    )


def shaped(samples: NDArray[Any], arch: Architecture) -> NDArray[Any]:
    """Samples (count, *shape) as the model's inputs.  Raises as `input_shape` does."""
    return samples.reshape(len(samples), *input_shape(tuple(samples.shape[1:]), arch))


def _checked(shape: tuple[int, ...], arch: Architecture) -> tuple[int, ...]:
    if arch.name == "lstm" and shape[0] > LSTM_STEPS:
        raise InputError(
            f"an unrolled LSTM over {shape[0]} steps is too large: at most {LSTM_STEPS}",
            hint="take shorter windows, average neighbours, or --arch conv1d or tcn",
        )
    return shape


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for length in shape:
        result *= length
    return result
