"""Folds batch normalisation into the layer before it, as the converter does."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from tinyml_tool.train.engine.graph_rewrite import Call, calls_of, consumers_of, copied, rewrite

FOLDABLE = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)


def fold_batch_norms(model: keras.Model) -> keras.Model:
    """The same function in inference, without batch normalisation behind a linear layer.

    w' = w * gamma / sqrt(variance + epsilon), b' = (b - mean) * that factor + beta (Jacob et al.
    2018, section 3.2), with the moving mean and variance.
    """
    calls = calls_of(model)
    followers = consumers_of(calls)
    norms = {
        id(call.operation): followers[id(call.output)][0].operation
        for call in calls
        if _folds(call, followers)
    }
    folded = {id(norm) for norm in norms.values()}
    copies: dict[int, Any] = {}

    def visit(call: Call, tensors: dict[int, Any]) -> Any:  # noqa: ANN401
        if id(call.operation) in folded:
            return tensors[id(call.inputs[0])]
        changes = {"use_bias": True} if id(call.operation) in norms else {}
        return call.again(copied(call.operation, copies, **changes), tensors)

    result = rewrite(model, visit, lambda source: source)
    for call in calls:
        layer = call.operation
        if not isinstance(layer, layers.Layer) or id(layer) in folded:
            continue
        norm = norms.get(id(layer))
        weights = layer.get_weights() if norm is None else _folded_weights(layer, norm)
        copies[id(layer)].set_weights(weights)
    return result


def _folds(call: Call, followers: dict[int, list[Call]]) -> bool:
    """Whether a normalisation alone takes what the linear layer of this call gives."""
    after = followers.get(id(call.output), [])
    return (
        isinstance(call.operation, FOLDABLE)
        and len(call.operation._inbound_nodes) == 1
        and call.operation.activation is keras.activations.linear
        and len(after) == 1
        and isinstance(after[0].operation, layers.BatchNormalization)
    )


def _folded_weights(layer: Any, norm: Any) -> list[Any]:  # noqa: ANN401
    factor = 1 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    if norm.scale:
        factor = factor * norm.gamma.numpy()
    kernel = layer.kernel.numpy()
    bias = layer.bias.numpy() if layer.use_bias else 0.0
    bias = (bias - norm.moving_mean.numpy()) * factor
    if norm.center:
        bias = bias + norm.beta.numpy()
    if isinstance(layer, layers.DepthwiseConv2D):
        return [kernel * factor.reshape(kernel.shape[2:]), bias]
    return [kernel * factor, bias]
