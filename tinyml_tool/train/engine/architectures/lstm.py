"""An LSTM whose steps are written out, of operators that engine aot runs.

A rolled LSTM does not convert to int8, and Keras' own unrolled one needs UNPACK.  Here every
step is slices, two dense layers and elementwise operators.  Source: Hochreiter and Schmidhuber
1997, with forget gate; gate order i, f, g, o.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import Model, layers

from tinyml_tool.train.engine.architectures.blocks import channels, head


def build(shape: tuple[int, ...], classes: int, arch: Mapping[str, Any]) -> Model:
    """One layer of 16 * `width` units over all time steps; the last state is classified."""
    units = channels(16, arch["width"])
    source = layers.Input(shape)
    inward = layers.Dense(4 * units, name="input_gates")
    recurrent = layers.Dense(
        4 * units, use_bias=False, kernel_initializer="orthogonal", name="recurrent_gates"
    )
    hidden = cell = None
    for step in range(shape[0]):
        gates = inward(source[:, step, :])
        if hidden is not None:
            gates = layers.Add()([gates, recurrent(hidden)])
        hidden, cell = _step(gates, cell, units)
    return head(source, hidden, classes, arch["dropout"], "lstm")


def _step(
    gates: Any,  # noqa: ANN401
    cell: Any,  # noqa: ANN401
    units: int,
) -> tuple[Any, Any]:
    i, f, g, o = (gates[:, k * units : (k + 1) * units] for k in range(4))
    new = layers.Multiply()([_sigmoid(i), layers.Activation("tanh")(g)])
    if cell is not None:
        new = layers.Add()([layers.Multiply()([_sigmoid(f), cell]), new])
    return layers.Multiply()([_sigmoid(o), layers.Activation("tanh")(new)]), new


def _sigmoid(
    x: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    return layers.Activation("sigmoid")(x)
