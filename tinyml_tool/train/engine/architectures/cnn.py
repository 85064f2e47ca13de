"""A plain small convolutional network, shaped like LeCun et al. 1998."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import Model, layers

from tinyml_tool.train.engine.architectures.blocks import (
    channels,
    classifier,
    conv_bn_relu,
    head,
)

_FLATTENED = 16
"""Up to so many places the dense layer sees each of them, else their mean."""


def build(shape: tuple[int, ...], classes: int, arch: Mapping[str, Any]) -> Model:
    """`depth` convolutions of 8, 16, 32, ... (at most 64) channels times `width`, each halving."""
    source = layers.Input(shape)
    x = source
    for block in range(arch["depth"]):
        filters = channels(min(8 << block, 64), arch["width"])
        x = conv_bn_relu(x, filters, tuple(arch["kernel"]))
        if min(x.shape[1:3]) >= 4:
            x = layers.MaxPooling2D()(x)
    if x.shape[1] * x.shape[2] > _FLATTENED:
        return classifier(source, x, classes, arch["dropout"], "cnn")
    return head(source, layers.Flatten()(x), classes, arch["dropout"], "cnn")
