"""A small multilayer perceptron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import Model, layers

from tinyml_tool.train.engine.architectures.blocks import channels, head


def build(shape: tuple[int, ...], classes: int, arch: Mapping[str, Any]) -> Model:
    """`depth` hidden layers of 32 * `width` units."""
    source = layers.Input(shape)
    x = layers.Flatten()(source) if len(shape) > 1 else source
    for _ in range(arch["depth"]):
        x = layers.Dense(channels(32, arch["width"]), activation="relu")(x)
    return head(source, x, classes, arch["dropout"], "mlp")
