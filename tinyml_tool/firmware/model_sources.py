"""The C sources of a compiled model: `lib/model/` and the kernels it calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tinyml_tool.boards import Board
from tinyml_tool.compiler.footprint import arena_region
from tinyml_tool.compiler.plan import (
    Argument,
    ConstantRef,
    KernelCall,
    Layer,
    NullRef,
    ParamValue,
    Plan,
    ScratchRef,
    TensorRef,
)
from tinyml_tool.config import Optimize
from tinyml_tool.firmware.c_text import C_TYPES, c_call, c_float, c_int
from tinyml_tool.firmware.row_stages import layer_rows, place, variants_of
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.firmware.tensor_view import tensor_comment, tensor_view

_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


# Steps of inner loops in a row (see `kernels/dsp.h`); balanced is the default there.
_UNROLL: dict[Optimize, int | None] = {"size": 1, "balanced": None, "speed": 8}


@dataclass(frozen=True, eq=False)
class _Constant:
    name: str
    type: str
    values: Any
    comment: str


def _param(value: ParamValue) -> str:
    match value:
        case tuple():
            return "{" + ", ".join(map(c_int, value)) + "}"
        case float():
            return c_float(value)
        case _:
            return c_int(value)


def _argument(argument: Argument, layer: Layer, plan: Plan) -> str:
    match argument:
        case TensorRef(tensor) if plan.graph.tensors[tensor].is_constant:
            return f"tensor_{tensor}"
        case TensorRef(tensor) if layer.stage is not None:
            return "input" if tensor == layer.operator.inputs[0] else "output"
        case TensorRef(tensor):
            return f"at(TENSOR_{tensor})"
        case ConstantRef(name):
            return plan.array_names()[layer.operator.index, name]
        case ScratchRef():
            return _scratch(layer)
        case NullRef():
            return "NULL"


def _scratch(layer: Layer) -> str:
    if layer.stage is None:
        return f"at(SCRATCH_{layer.operator.index})"
    return place(f"SCRATCH_{layer.stage.layers[-1]}", layer.stage.kernel_scratch)


def _statement(call: KernelCall, layer: Layer, plan: Plan) -> str:
    arguments = [_argument(argument, layer, plan) for argument in call.arguments]
    return c_call(f"tinyml_{call.kernel}", [f"&layer_{layer.operator.index}_params", *arguments])


def _constants(call: KernelCall, layer: int, plan: Plan, written: set[int]) -> list[_Constant]:
    """Arrays to write before a layer; a constant tensor only before the first that uses it."""
    constants = []
    for argument in call.arguments:
        if not isinstance(argument, TensorRef) or argument.tensor in written:
            continue
        tensor = plan.graph.tensors[argument.tensor]
        if tensor.data is None:
            continue
        written.add(argument.tensor)
        constants.append(
            _Constant(
                f"tensor_{tensor.index}",
                C_TYPES[tensor.dtype.value],
                tensor.data.reshape(-1),
                tensor_comment(tensor),
            )
        )
    names = plan.array_names()
    for array in call.constants:
        name = f"layer_{layer}_{array.name}"
        if names[layer, array.name] != name:
            continue  # an earlier layer has the same
        constants.append(
            _Constant(
                name,
                C_TYPES[array.values.dtype.name],
                array.values,
                array.comment,
            )
        )
    return constants


def _variants(layer: Layer, call: KernelCall, plan: Plan) -> list[dict[str, Any]]:
    """A function of rows for each set of parameters that the bands of a stage need."""
    assert layer.stage is not None
    names = layer.stage.varying[layer.operator.index]
    arguments = [_argument(argument, layer, plan) for argument in call.arguments]
    variants = []
    for number, values in enumerate(variants_of(layer.stage, layer.operator.index)):
        params = {**dict(call.params), **dict(zip(names, values, strict=True))}
        name_of = f"layer_{layer.operator.index}_params_{number}"
        variants.append(
            {
                "number": number,
                "params": [(name, _param(value)) for name, value in params.items()],
                "statement": c_call(f"tinyml_{call.kernel}", [f"&{name_of}", *arguments]),
            }
        )
    return variants


def _layer_view(layer: Layer, plan: Plan, written: set[int], record: int) -> dict[str, Any]:
    index, call = layer.operator.index, layer.call
    return {
        "index": index,
        "kind": layer.operator.kind,
        "comment": layer.comment,
        "call": call is not None,
        "inner": layer.is_inner,
        "kernel": call.kernel if call else "",
        "constants": _constants(call, index, plan, written) if call else [],
        "params": [(name, _param(value)) for name, value in call.params] if call else [],
        "statement": _statement(call, layer, plan) if call else "",
        "variants": _variants(layer, call, plan) if call and layer.stage else [],
        "stage": layer_rows(layer, plan) if layer.stage else None,
        "outputs": [
            {"index": t, "bytes": plan.graph.tensors[t].bytes, "record": record + position}
            for position, t in enumerate(plan.graph.written(layer.operator))
        ],
    }


def include_files(text: str) -> list[str]:
    """Names of the project's own headers that a C source includes."""
    return _INCLUDE.findall(text)


def kernel_files(kernels: tuple[str, ...]) -> dict[str, str]:
    """`lib/kernels/`: the headers of `kernels` with everything they include."""
    files: dict[str, str] = {}
    waiting = [f"{kernel}.h" for kernel in kernels]
    while waiting:
        name = waiting.pop()
        if name in files:
            continue
        files[name] = source(f"kernels/{name}")
        waiting += include_files(files[name])
    return {f"lib/kernels/{name}": text for name, text in sorted(files.items())}


def model_sources(plan: Plan, board: Board | None = None, more_ram: int = 0) -> dict[str, str]:
    """Relative path to text of `lib/model/*` and the `lib/kernels/*` that `plan` uses.

    `board`, and `more_ram` bytes of buffers on it, tell in which region of RAM the arena lies.
    """
    graph, memory = plan.graph, plan.memory
    written: set[int] = set()
    layers: list[dict[str, Any]] = []
    record = 0
    for layer in plan.layers:
        layers.append(_layer_view(layer, plan, written, record))
        record += len(graph.written(layer.operator))

    def view(tensor: int) -> dict[str, Any]:
        return tensor_view(graph.tensors[tensor], f"arena + TENSOR_{tensor}")

    values: dict[str, Any] = {
        "name": graph.name,
        "model_hash": graph.model_hash,
        "engine": "aot",
        "optimize": plan.optimize,
        "unroll": _UNROLL[plan.optimize],
        "arena_bytes": memory.arena_bytes,
        "arena_comment": "All tensors and scratch buffers, inputs and outputs included.",
        "alignment": memory.alignment,
        "arena_region": arena_region(plan, board, more_ram) if board is not None else None,
        "board_id": board.id if board is not None else "",
        "inputs": [view(t) for t in graph.inputs],
        "outputs": [view(t) for t in graph.outputs],
        "layer_count": len(layers),
        "layers": layers,
        "kernels": plan.kernels,
        "arena_tensors": [
            {
                "index": index,
                "offset": allocation.offset,
                "bytes": graph.tensors[index].bytes,
                "comment": tensor_comment(graph.tensors[index]),
            }
            for index, allocation in memory.tensors.items()
        ],
        "scratch": [
            {"layer": layer, "offset": allocation.offset, "bytes": allocation.bytes}
            for layer, allocation in memory.scratch.items()
        ],
    }
    return {
        "lib/model/model.h": render("runtime/model.h.j2", **values),
        "lib/model/model.c": render("runtime/aot/model.c.j2", **values),
        **kernel_files(plan.kernels),
    }
