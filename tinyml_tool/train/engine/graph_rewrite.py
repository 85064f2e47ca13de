"""Makes a new functional model from a given one, call by call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from tinyml_tool.train.engine.messages import EngineError


@dataclass(frozen=True, eq=False)
class Call:
    """One use of an operation in a model; a shared layer has several."""

    operation: Any
    """A Keras layer, or an operation such as a slice."""
    inputs: tuple[Any, ...]
    """Keras tensors of the old model."""
    output: Any
    arguments: Any
    """Keras' own value, which puts tensors in place of the old ones."""

    def again(self, operation: Any, tensors: dict[int, Any]) -> Any:  # noqa: ANN401
        """`operation` applied as the old one was, to the new tensors in `tensors`."""
        args, kwargs = self.arguments.fill_in(tensors)
        return operation(*args, **kwargs)


Visit = Callable[[Call, dict[int, Any]], Any]
"""Gives the new tensor for a call; the new tensors so far are by id of the old ones."""


def calls_of(model: keras.Model) -> list[Call]:
    """All calls of a functional model but its inputs, each after those it depends on.

    Raises EngineError for a model that is not functional, holds models, or has several inputs or
    outputs.
    """
    if not hasattr(model, "_nodes_by_depth"):
        raise EngineError(
            "input",
            f"model {model.name} is not a functional Keras model",
            "build it as keras.Model(inputs, outputs)",
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise EngineError(
            "input",
            f"model {model.name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs",
            "only models with one input and one output can be compressed",
        )
    calls: list[Call] = []
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if node.is_input:
                continue
            if isinstance(node.operation, keras.Model):
                raise EngineError(
                    "input",
                    f"layer {node.operation.name} is a model inside the model",
                    "write its layers into the model itself",
                )
            calls.append(
                Call(
                    node.operation,
                    tuple(node.input_tensors),
                    node.output_tensors[0],
                    node.arguments,
                )
            )
    return calls


def consumers_of(calls: list[Call]) -> dict[int, list[Call]]:
    """By id of a tensor, the calls that take it."""
    found: dict[int, list[Call]] = {}
    for call in calls:
        for tensor in call.inputs:
            found.setdefault(id(tensor), []).append(call)
    return found


def rewrite(
    model: keras.Model,
    visit: Visit,
    on_input: Callable[[Any], Any],
    shape: tuple[int, ...] | None = None,
) -> keras.Model:
    """A model whose tensors are what `visit` and `on_input` make, for samples of `shape`.

    Without `shape` they are as the old model's.
    """
    source = keras.layers.Input(shape or model.input_shape[1:])
    tensors: dict[int, Any] = {id(model.inputs[0]): on_input(source)}
    for call in calls_of(model):
        tensors[id(call.output)] = visit(call, tensors)
    return keras.Model(source, tensors[id(model.outputs[0])], name=model.name)


def copied(layer: Any, copies: dict[int, Any], **changes: Any) -> Any:  # noqa: ANN401
    """A new layer of the same configuration but `changes`, once for all calls of `layer`."""
    if not isinstance(layer, keras.layers.Layer):
        return layer
    if id(layer) not in copies:
        copies[id(layer)] = type(layer).from_config({**layer.get_config(), **changes})
    return copies[id(layer)]
