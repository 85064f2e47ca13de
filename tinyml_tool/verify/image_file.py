"""A picture as the input of a model."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError, ToolMissingError
from tinyml_tool.graph.types import DType, Tensor
from tinyml_tool.verify.conversion import layout

IMAGE_SUFFIXES = (".bmp", ".png", ".pgm", ".ppm", ".jpg", ".jpeg")

_FORMATS = ("BMP", "PNG", "PPM", "JPEG")


def read_image(path: Path, tensor: Tensor) -> NDArray[Any]:
    """Read a picture that is exactly as large as the tensor's height and width.

    The picture is converted to grey for 1 channel, to red, green, blue for 3.  A pixel p, 0 to 255,
    becomes p - 128 for an int8 input, p for uint8, and p / 255 for float32.
    Raises InputError for other sizes, inputs and files, ToolMissingError where Pillow is absent.
    """
    height, width, channels = _picture_shape(path.name, tensor)
    pixels = _opened(path, width, height, "L" if channels == 1 else "RGB")
    return _from_pixels(pixels.reshape(tensor.shape), tensor)


def read_pixels(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """Red, green and blue of a picture of just that size; (height, width, 3).

    Raises InputError for other sizes and files, ToolMissingError where Pillow is absent.
    """
    return _opened(path, width, height, "RGB")


def _opened(path: Path, width: int, height: int, mode: str) -> NDArray[np.uint8]:
    pillow = _pillow(path.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(path, formats=_FORMATS) as image:
                if image.size != (width, height):
                    raise InputError(
                        f"{path.name} is {image.size[0]} pixels wide and {image.size[1]} high, "
                        f"expected {width} and {height}",
                        hint="resize it as the pictures were that the model was trained on",
                    )
                return np.asarray(image.convert(mode), np.uint8)
    except (OSError, SyntaxError, ValueError, Warning, pillow.DecompressionBombError) as error:
        raise InputError(f"{path.name} is no picture that can be read: {error}") from None


def _picture_shape(name: str, tensor: Tensor) -> tuple[int, int, int]:
    """Height, width and channels."""
    shape = tensor.shape if len(tensor.shape) == 4 else (*tensor.shape, 1)
    known = tensor.dtype in (DType.INT8, DType.UINT8, DType.FLOAT32)
    if len(shape) != 4 or shape[0] != 1 or shape[3] not in (1, 3) or not known:
        raise InputError(
            f"{name} is a picture, but the model's input {layout(tensor)} is none",
            hint="pictures fit inputs 1 x height x width x 1 or 3 of type int8, uint8 or float32",
        )
    return shape[1], shape[2], shape[3]


def _from_pixels(pixels: NDArray[np.uint8], tensor: Tensor) -> NDArray[Any]:
    if tensor.dtype is DType.INT8:
        return (pixels.astype(np.int16) - 128).astype(np.int8)
    if tensor.dtype is DType.FLOAT32:
        return pixels.astype(np.float32) / np.float32(255)
    return pixels


def _pillow(name: str) -> ModuleType:
    try:
        from PIL import Image
    except ImportError:
        raise ToolMissingError(
            f"reading {name} needs the Python package 'pillow'",
            hint="install it: python -m pip install 'tinyml-tool[images]'",
        ) from None
    return Image
