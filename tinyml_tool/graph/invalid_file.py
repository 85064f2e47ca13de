"""The errors of a file that is no sound `.tflite`: what is wrong, which part, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from ai_edge_litert import schema_py_generated as schema

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph.flatbuffer import FlatbufferError
from tinyml_tool.graph.foreign_formats import identify
from tinyml_tool.graph.names import printable, tensor_name
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.tflite_schema import FILE_IDENTIFIER


def check_identifier(data: bytes, source: str) -> None:
    """Raise InvalidModelError unless the bytes say that they are a `.tflite`."""
    if not data:
        raise InvalidModelError(
            f"{source}: the file is empty", hint="download or convert the model again"
        )
    if data[4:8] == FILE_IDENTIFIER:
        return
    if len(data) < 8:
        raise InvalidModelError(
            f"{source}: not a .tflite model: {len(data)} bytes are too few",
            hint="download or convert the model again",
        )
    found = identify(data)
    if found:
        raise InvalidModelError(
            f"{source}: not a .tflite model; it looks like {found.what}", hint=found.advice
        )
    raise InvalidModelError(
        f"{source}: not a .tflite model: bytes 4 to 7 are {data[4:8]!r}, not 'TFL3'",
        hint="give a .tflite file, as tf.lite.TFLiteConverter writes it",
    )


def damaged(data: bytes, source: str, error: FlatbufferError) -> InvalidModelError:
    """The error for bytes that `verify` refused."""
    part = _part(data, error.path)
    if error.needed is None:
        return InvalidModelError(
            f"{source}: damaged: {part} {error.cause}", hint="copy or convert the model again"
        )
    first, last = error.needed
    if first < 0:
        return InvalidModelError(
            f"{source}: damaged: {part} would start {-first} bytes before the file",
            hint="copy or convert the model again",
        )
    return InvalidModelError(
        f"{source}: truncated or damaged: the file has {len(data)} bytes, "
        f"but bytes {first} to {last} should hold {part}",
        hint="copy or download the file again, or convert the model again",
    )


def _part(data: bytes, path: tuple[str | int, ...]) -> str:
    """Words for a part of the file, e.g. ("subgraphs", 0, "tensors", 3, "shape")."""
    if not path:
        return "the model's root table"
    if path[0] == "buffers" and len(path) > 1:
        return f"the buffer of {_owner(data, int(path[1]))}"
    if path[:2] == ("subgraphs", 0):
        # There is but one subgraph in all models that this tool can use.
        path = path[2:] or ("main subgraph",)
    words: list[str] = []
    for step in path:
        if isinstance(step, int):
            words[-1] = f"{_SINGULAR.get(words[-1], words[-1])} {step}"
        else:
            words.append(step)
    return "the " + " of ".join(reversed(words))


_SINGULAR = {
    "subgraphs": "subgraph",
    "tensors": "tensor",
    "operators": "layer",
    "operator_codes": "operator code",
}


def _owner(data: bytes, buffer: int) -> str:
    """The tensor that uses the buffer. All subgraphs were verified before the buffers."""
    model = schema.Model.GetRootAs(data, 0)
    if model.SubgraphsLength():
        subgraph = model.Subgraphs(0)
        for index in range(subgraph.TensorsLength()):
            tensor = subgraph.Tensors(index)
            if tensor.Buffer() == buffer:
                return tensor_name(index, printable(tensor.Name()))
    return f"no tensor (buffer {buffer})"


def contradictory(source: str, problems: Sequence[Problem]) -> InvalidModelError:
    """The error for a file whose parts do not fit together; lists all problems."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    first = problems[0]
    where = f"{first.layer}: " if first.layer else ""
    return InvalidModelError(
        f"{source}: invalid model: {where}{first.cause}{more}",
        hint=first.fix,
        details=[str(problem) for problem in problems],
    )
