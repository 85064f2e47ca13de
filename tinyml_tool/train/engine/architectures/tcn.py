"""Temporal convolutional network: causal, dilated, residual (Bai et al. 2018)."""

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
    """`depth` blocks of 16 * `width` channels, dilated by 1, 2, 4, ... along time."""
    filters, kernel = channels(16, arch["width"]), arch["kernel"][0]
    source = layers.Input(shape)
    x = conv_bn_relu(as_column(source), filters, 1)
    for block in range(arch["depth"]):
        dilation = 1 << block
        way = layers.ZeroPadding2D((((kernel - 1) * dilation, 0), (0, 0)))(x)
        way = conv_bn_relu(way, filters, (kernel, 1), padding="valid", dilation=(dilation, 1))
        x = layers.ReLU()(layers.Add()([x, conv_bn_relu(way, filters, 1, relu=False)]))
    return classifier(source, x, classes, arch["dropout"], "tcn")
