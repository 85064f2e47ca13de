"""MobileNetV1 (Howard et al. 2017), at the small widths that fit microcontrollers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import Model, layers

from tinyml_tool.train.engine.architectures.blocks import (
    channels,
    classifier,
    conv_bn_relu,
    separable,
)

_BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
"""(channels at width 1, stride) of each separable block."""
_SMALLEST_HALVED = 4
"""A picture whose shorter side is smaller is not halved any more."""


def build(shape: tuple[int, ...], classes: int, arch: Mapping[str, Any]) -> Model:
    """The first `depth` of the 13 blocks, at `width` times their channels."""
    width = arch["width"]
    side = min(shape[:2])
    source = layers.Input(shape)
    strides = 2 if side > 2 * _SMALLEST_HALVED else 1
    x = conv_bn_relu(source, channels(32, width), tuple(arch["kernel"]), strides=strides)
    side = -(-side // strides)
    for filters, stride in _BLOCKS[: arch["depth"]]:
        strides = stride if side >= _SMALLEST_HALVED else 1
        x = separable(x, channels(filters, width), strides=strides)
        side = -(-side // strides)
    return classifier(source, x, classes, arch["dropout"], "mobilenet_v1")
