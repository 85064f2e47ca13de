"""DS-CNN: one convolution, then depthwise separable ones (Zhang et al. 2017, Hello Edge)."""

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

_STRIDE_FROM = 10
"""Axes at least this long are halved by the first layer, as in the original on 49x10."""


def build(shape: tuple[int, ...], classes: int, arch: Mapping[str, Any]) -> Model:
    """`depth` separable blocks of 64 * `width` channels; the first layer has `kernel`."""
    filters = channels(64, arch["width"])
    height, width = shape[:2]
    strides = (1 + (height >= _STRIDE_FROM), 1 + (width >= _STRIDE_FROM))
    source = layers.Input(shape)
    x = conv_bn_relu(source, filters, tuple(arch["kernel"]), strides=strides)
    for _ in range(arch["depth"]):
        x = separable(x, filters)
    return classifier(source, x, classes, arch["dropout"], "ds_cnn")
