"""Model files as objects that may be changed, and back to bytes."""

from __future__ import annotations

import struct
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph.dataflow import CONVERT_AGAIN
from tinyml_tool.graph.reader import parse_model

_UNREADABLE = (
    *(struct.error, ValueError, TypeError, IndexError, OverflowError),
    *(UnicodeDecodeError, MemoryError, AttributeError, RecursionError),
)


def unpack(data: bytes, name: str) -> schema.ModelT:
    """The whole file as objects; raises InvalidModelError for a file that is damaged.

    Lists of tensor numbers come out as lists.  Operator codes come out as current files have
    them: older ones keep the number in a byte of its own, and whoever reads the current field
    alone takes every operator for an ADD.
    """
    parse_model(data, name)
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
    except _UNREADABLE as error:
        # The structure that a graph is made of is verified; what else the file holds is not.
        raise InvalidModelError(f"{name} is damaged: {error}", hint=CONVERT_AGAIN) from None
    for code in model.operatorCodes or ():
        code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
    for part in (part for graph in model.subgraphs for part in (graph, *(graph.operators or ()))):
        part.inputs = _numbers(part.inputs)
        part.outputs = _numbers(part.outputs)
    return model


def _numbers(stored: Any) -> list[int]:  # noqa: ANN401 - an array, or None where it is absent
    return [] if stored is None else [int(index) for index in stored]


def pack(model: schema.ModelT) -> bytes:
    """The bytes of a `.tflite` file."""
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def kind_of(model: schema.ModelT, operator: schema.OperatorT) -> str:
    """The schema's name of an operator, such as CONV_2D."""
    return _KINDS.get(model.operatorCodes[operator.opcodeIndex].builtinCode, "UNKNOWN")


def new_constant(model: schema.ModelT, values: NDArray[np.generic]) -> int:
    """Append a buffer that holds `values` and return its number."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


_KINDS: dict[int, str] = {
    number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()
}
