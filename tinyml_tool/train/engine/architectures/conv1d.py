"""Convolutions along time, each halving it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import Model, layers

from tinyml_tool.train.engine.architectures.blocks import (
    as_column,
    channels,
    classifier,
    conv_bn_relu,
)


def build(shape: tuple[int, ...], classes: int, arch: Mapping[str, Any]) -> Model:
    """`depth` convolutions of 16, 32, 64, ... (at most 64) channels times `width`."""
    source = layers.Input(shape)
    x = as_column(source)
    for block in range(arch["depth"]):
        filters = channels(min(16 << block, 64), arch["width"])
        x = conv_bn_relu(x, filters, (arch["kernel"][0], 1))
        if x.shape[1] >= 4:
            x = layers.MaxPooling2D((2, 1))(x)
    return classifier(source, x, classes, arch["dropout"], "conv1d")
