"""Removes the least important channels: the model that is left is really smaller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from tinyml_tool.train.engine.channel_groups import ChannelGroups, Group
from tinyml_tool.train.engine.graph_rewrite import Call, calls_of, consumers_of, copied, rewrite
from tinyml_tool.train.engine.messages import EngineError

STEP = 4
"""Channels are kept in steps of a word of int8, and at least so many."""


@dataclass(frozen=True, eq=False)
class Cut:
    """What stays of one group."""

    group: Group
    kept: Any
    """Indices of channels, ascending."""


def prune_channels(model: keras.Model, share: float, criterion: str) -> tuple[keras.Model, int]:
    """(the model without about `share` of the channels of each group, how many were removed).

    The criterion `norm` is the L2 norm of a channel's filter times its normalisation's factor,
    `scale` that factor alone (Liu et al. 2017), `random` a control.  Every layer that makes a
    group's channels counts alike.  Raises EngineError where nothing can be removed.
    """
    groups = [one for one in ChannelGroups(model).groups() if not one.fixed and one.makers]
    norms = _norms_behind(model)
    rng = np.random.default_rng(0)
    cuts = []
    for group in groups:
        kept = max(STEP, int((1 - share) * group.channels / STEP + 0.5) * STEP)
        if kept < group.channels:
            scores = _scores(group, norms, criterion, rng)
            cuts.append(Cut(group, np.sort(np.argsort(-scores, kind="stable")[:kept])))
    if not cuts:
        raise EngineError(
            "input",
            f"no channel of {model.name} can be removed: of {len(groups)} groups of channels none "
            f"has more than {STEP} left to give at a share of {share:g}",
            "take a larger --share, or a model with wider layers",
        )
    removed = sum(cut.group.channels - len(cut.kept) for cut in cuts)
    return _without(model, cuts), removed


def _norms_behind(model: keras.Model) -> dict[int, Any]:
    """By id of a layer, the normalisation that follows it."""
    calls = calls_of(model)
    followers = consumers_of(calls)
    return {
        id(call.operation): after.operation
        for call in calls
        for after in followers.get(id(call.output), [])
        if isinstance(after.operation, layers.BatchNormalization)
    }


def _scores(
    group: Group, norms: dict[int, Any], criterion: str, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    if criterion == "random":
        return rng.random(group.channels)
    total = np.zeros(group.channels)
    for layer in group.makers:
        score = np.ones(group.channels)
        if criterion == "norm":
            kernel = layer.kernel.numpy()
            score = np.sqrt((kernel.reshape(-1, kernel.shape[-1]) ** 2).sum(axis=0))
        norm = norms.get(id(layer))
        if norm is not None and norm.scale:
            gamma = np.abs(norm.gamma.numpy())
            if criterion == "norm":
                gamma = gamma / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
            score = score * gamma
        total += score / max(float(score.mean()), 1e-12)
    return total


def _without(model: keras.Model, cuts: list[Cut]) -> keras.Model:
    """The model with only the kept channels, and their weights."""
    weights: dict[int, list[Any]] = {
        id(layer): layer.get_weights() for layer in model.layers if layer.weights
    }
    changes: dict[int, dict[str, Any]] = {}
    for cut in cuts:
        for layer in cut.group.makers:
            name = "units" if isinstance(layer, layers.Dense) else "filters"
            changes[id(layer)] = {name: len(cut.kept)}
            weights[id(layer)] = [array[..., cut.kept] for array in weights[id(layer)]]
        for layer in cut.group.handlers:
            weights[id(layer)] = [_handled(array, cut.kept) for array in weights[id(layer)]]
        for layer, places in cut.group.takers:
            kernel, *rest = weights[id(layer)]
            rows = (np.arange(places)[:, None] * cut.group.channels + cut.kept[None, :]).reshape(-1)
            weights[id(layer)] = [np.take(kernel, rows, axis=kernel.ndim - 2), *rest]
    copies: dict[int, Any] = {}

    def visit(call: Call, tensors: dict[int, Any]) -> Any:  # noqa: ANN401
        layer = call.operation
        return call.again(copied(layer, copies, **changes.get(id(layer), {})), tensors)

    smaller = rewrite(model, visit, lambda source: source)
    for layer in model.layers:
        if layer.weights:
            copies[id(layer)].set_weights(weights[id(layer)])
    return smaller


def _handled(array: Any, kept: Any) -> Any:  # noqa: ANN401
    """Weights with one value a channel: a vector, or a depthwise kernel (h, w, channels, 1)."""
    return array[:, :, kept] if array.ndim == 4 else array[kept]
