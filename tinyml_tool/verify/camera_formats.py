"""A picture as the bytes that a camera would send."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.preprocess.image_spec import ImageSpec

_U8 = NDArray[np.uint8]


def encode_picture(pixels: _U8, spec: ImageSpec) -> _U8:
    """`pixels`, (height, width, 3), in the format of the spec's source; one row of bytes."""
    red, green, blue = (pixels[..., c].astype(np.int32) for c in range(3))
    if spec.format == "grey8":
        return _luma(red, green, blue).reshape(-1)
    if spec.format == "rgb888":
        return np.ascontiguousarray(pixels, np.uint8).reshape(-1)
    if spec.format in ("rgb565", "rgb565be"):
        bits = ((red >> 3) << 11) | ((green >> 2) << 5) | (blue >> 3)
        order = "<u2" if spec.format == "rgb565" else ">u2"
        return bits.astype(order).reshape(-1).view(np.uint8)
    if spec.format == "yuyv":
        return _yuyv(red, green, blue)
    return _bayer(pixels, spec.format.removeprefix("bayer_"))


def _luma(red: NDArray[np.int32], green: NDArray[np.int32], blue: NDArray[np.int32]) -> _U8:
    return ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16).astype(np.uint8)


def _yuyv(red: NDArray[np.int32], green: NDArray[np.int32], blue: NDArray[np.int32]) -> _U8:
    """Full-range ITU-R BT.601; two neighbours share the mean of their colours."""
    u = 128 - 0.168736 * red - 0.331264 * green + 0.5 * blue
    v = 128 + 0.5 * red - 0.418688 * green - 0.081312 * blue
    height, width = red.shape
    stored = np.empty((height, width, 2), np.uint8)
    stored[..., 0] = _luma(red, green, blue)
    for place, colour in ((0, u), (1, v)):
        mean = (colour[:, 0::2] + colour[:, 1::2]) / 2
        stored[:, place::2, 1] = np.clip(np.rint(mean), 0, 255)
    return stored.reshape(-1)


def _bayer(pixels: _U8, pattern: str) -> _U8:
    mosaic = np.empty(pixels.shape[:2], np.uint8)
    for place, colour in enumerate(pattern):
        y, x = divmod(place, 2)
        mosaic[y::2, x::2] = pixels[y::2, x::2, "rgb".index(colour)]
    return mosaic.reshape(-1)
