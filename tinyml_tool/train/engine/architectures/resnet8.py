"""ResNet-8, the image classifier of MLPerf Tiny: three stacks of one residual block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import Model, layers

from tinyml_tool.train.engine.architectures.blocks import channels, classifier, conv_bn_relu


def build(shape: tuple[int, ...], classes: int, arch: Mapping[str, Any]) -> Model:
    """`depth` stacks of 16, 32, 64, ... channels times `width`; each but the first halves."""
    source = layers.Input(shape)
    x = conv_bn_relu(source, channels(16, arch["width"]), tuple(arch["kernel"]))
    for stack in range(arch["depth"]):
        x = _block(x, channels(16 << stack, arch["width"]), strides=2 if stack else 1)
    return classifier(source, x, classes, arch["dropout"], "resnet8")


def _block(
    x: Any,  # noqa: ANN401
    filters: int,
    *,
    strides: int,
) -> Any:  # noqa: ANN401
    way = conv_bn_relu(x, filters, 3, strides=strides)
    way = conv_bn_relu(way, filters, 3, relu=False)
    if strides != 1 or x.shape[-1] != filters:
        x = layers.Conv2D(filters, 1, strides=strides, padding="same")(x)
    return layers.ReLU()(layers.Add()([x, way]))
