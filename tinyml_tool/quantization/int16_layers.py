"""Which layers of a mixed model compute in int16x8."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_tool.errors import InputError
from tinyml_tool.graph.problem import layer_name
from tinyml_tool.graph.types import Graph, Operator
from tinyml_tool.quantization.noise import NoiseProfile

CANDIDATES = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL")
"""Kinds that have int16 kernels in TFLM and gain from them."""
_CHOSEN = 3


def named_layers(
    graph: Graph,
    wanted: Sequence[str],
    kinds: Sequence[str] = CANDIDATES,
    purpose: str = "be int16x8 by itself",
) -> tuple[Operator, ...]:
    """The layers that a user names by number or by the name of their output tensor.

    kinds: those that can serve the `purpose`.  Raises InputError for a name that is none, or a
    layer of another kind.
    """
    by_name = {graph.tensor(op.outputs[0]).name: op for op in graph.operators if op.outputs}
    found = []
    for word in wanted:
        is_number = word.isdecimal() and int(word) < len(graph.operators)
        operator = graph.operators[int(word)] if is_number else by_name.get(word)
        if operator is None:
            raise InputError(
                f"{graph.name} has no layer '{word}'",
                hint=f"give a number from 0 to {len(graph.operators) - 1} (see `tinyml inspect`), "
                "or the name of the layer's output tensor",
            )
        if operator.kind not in kinds:
            raise InputError(
                f"{layer_name(operator)} cannot {purpose}", hint=f"possible are {', '.join(kinds)}"
            )
        found.append(operator)
    return tuple(dict.fromkeys(found))


def noisiest_layers(graph: Graph, profile: NoiseProfile) -> tuple[Operator, ...]:
    """The up to three layers that add most noise in int8; only kinds that may be int16x8."""
    layers = [layer for layer in profile.layers if layer.kind in CANDIDATES and layer.added_db > 0]
    layers.sort(key=lambda layer: -layer.added_db)
    return tuple(graph.operators[layer.index] for layer in layers[:_CHOSEN])
