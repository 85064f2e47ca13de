"""A dense autoencoder for anomalies, shaped like the one of MLPerf Tiny."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import Model, layers

from tinyml_tool.train.engine.architectures.blocks import MOMENTUM, channels


def build(shape: tuple[int, ...], classes: int, arch: Mapping[str, Any]) -> Model:
    """`depth` layers of 128 * `width` units, a bottleneck of `bottleneck`, the same back."""
    del classes  # it gives its input back
    units = channels(128, arch["width"])
    source = layers.Input(shape)
    x = source
    for size in (*[units] * arch["depth"], arch["bottleneck"], *[units] * arch["depth"]):
        x = layers.Dense(size, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))
    return Model(source, layers.Dense(shape[0])(x), name="autoencoder")
