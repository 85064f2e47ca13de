"""Layers that run in bands of rows, as C: functions of rows for each, and the order of calls."""

from __future__ import annotations

from typing import Any

from tinyml_tool.compiler.plan import Layer, Plan, RowCall, RowStage
from tinyml_tool.firmware.c_text import c_call


def place(name: str, offset: int) -> str:
    """An address in the arena.

    >>> place("TENSOR_3", 0), place("TENSOR_3", 64)
    ('at(TENSOR_3)', 'at(TENSOR_3 + 64)')
    """
    return f"at({name} + {offset})" if offset else f"at({name})"


def variants_of(stage: RowStage, layer: int) -> list[tuple[int, ...]]:
    """The different values of a layer's varying parameters: each is compiled by itself.

    Kernels are specialised for literals; most bands have the same.
    """
    return list(dict.fromkeys(c.values for band in stage.bands for c in band if c.layer == layer))


def layer_rows(layer: Layer, plan: Plan) -> dict[str, Any]:
    """What the template needs of a layer in a stage; `calls` only where the stage ends."""
    stage = layer.stage
    assert stage is not None
    return {
        "last": stage.layers[-1],
        "layers": ", ".join(map(str, stage.layers)),
        "bands": [] if layer.is_inner else _bands(stage, plan),
    }


def _bands(stage: RowStage, plan: Plan) -> list[dict[str, Any]]:
    total = plan.graph.tensor(stage.target).shape[1]
    found = []
    for band in stage.bands:
        end = band[-1].first + band[-1].count
        found.append(
            {
                "comment": f"Rows {band[-1].first} to {end - 1} of {total}.",
                "calls": [_call(call, stage) for call in band],
            }
        )
    return found


def _call(call: RowCall, stage: RowStage) -> str:
    scratch = f"SCRATCH_{stage.layers[-1]}"
    begins, ends = call.layer == stage.layers[0], call.layer == stage.layers[-1]
    source = f"TENSOR_{stage.source}" if begins else scratch
    target = f"TENSOR_{stage.target}" if ends else scratch
    arguments = [place(source, call.input_offset), place(target, call.output_offset)]
    variant = variants_of(stage, call.layer).index(call.values)
    return c_call(f"layer_{call.layer}_rows_{variant}", arguments)
