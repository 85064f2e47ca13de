"""A model on fewer pixels or moments: an average pooling stands before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from tinyml_tool.train.engine.build_model import build_model
from tinyml_tool.train.engine.graph_rewrite import Call, copied, rewrite
from tinyml_tool.train.engine.messages import EngineError


def build_pooled(
    spec: Mapping[str, Any], shape: tuple[int, ...], classes: int, factor: int
) -> keras.Model:
    """The model of `spec` for samples of `shape`, after averaging `factor` places to one.

    So the device needs no new preprocessing; only the input buffer keeps its size.  Series are
    averaged along time, pictures along both axes.  Raises EngineError for other shapes.
    """
    if factor == 1:
        return build_model(spec, shape, classes)
    if len(shape) < 2 or min(shape[:-1]) < 2 * factor:
        text = "x".join(map(str, shape))
        raise EngineError(
            "input",
            f"samples of {text} cannot be averaged by {factor}",
            "take a smaller --resolution factor",
        )
    pooled = tuple(size // factor for size in shape[:-1]) + shape[-1:]
    inner = build_model(spec, pooled, classes)
    copies: dict[int, Any] = {}

    def visit(call: Call, tensors: dict[int, Any]) -> Any:  # noqa: ANN401
        return call.again(copied(call.operation, copies), tensors)

    return rewrite(inner, visit, lambda source: _averaged(source, factor), shape)


def _averaged(source: Any, factor: int) -> Any:  # noqa: ANN401
    if len(source.shape) == 4:
        return layers.AveragePooling2D(factor)(source)
    steps, channels = source.shape[1:]
    x = layers.AveragePooling2D((factor, 1))(layers.Reshape((steps, 1, channels))(source))
    return layers.Reshape((steps // factor, channels))(x)
