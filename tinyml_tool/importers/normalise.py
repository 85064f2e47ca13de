"""Any float `.tflite` becomes one that the rest of the tool can work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

from tinyml_tool.errors import UnsupportedModelError
from tinyml_tool.graph.checks import computes_in_floats
from tinyml_tool.graph.model_objects import pack, unpack
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import Graph
from tinyml_tool.importers.float_constants import unpack_constants
from tinyml_tool.importers.tidy import tidy


@dataclass(frozen=True, eq=False)
class NormalModel:
    """A float model ready for quantization, and what was changed to make it so."""

    data: bytes
    graph: Graph
    changes: tuple[str, ...]


_PASSES: tuple[Callable[[schema.ModelT], list[str]], ...] = (tidy, unpack_constants)
"""In this order; each tells what it changed."""


def normalise(data: bytes, name: str) -> NormalModel:
    """Make weights float32, names distinct and operator codes current; arithmetic stays as it is.

    Raises InvalidModelError for a damaged file, UnsupportedModelError for a model that computes
    in integers already.
    """
    graph = parse_model(data, name)
    if not computes_in_floats(graph):
        types = {graph.tensor(index).dtype.value for index in (*graph.inputs, *graph.outputs)}
        raise UnsupportedModelError(
            f"{name} is quantized already (its inputs and outputs are {', '.join(sorted(types))})",
            hint="give the float model that it was made of",
        )
    model = unpack(data, name)
    changes = [change for step in _PASSES for change in step(model)]
    result = pack(model)
    return NormalModel(result, parse_model(result, name), tuple(changes))
