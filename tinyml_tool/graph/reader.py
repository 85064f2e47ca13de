"""Reads a `.tflite` file into a `Graph`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph import tflite_schema
from tinyml_tool.graph.dataflow import CONVERT_AGAIN, Dataflow, index_problems, order_problems
from tinyml_tool.graph.flatbuffer import FlatbufferError, verify
from tinyml_tool.graph.invalid_file import check_identifier, contradictory, damaged
from tinyml_tool.graph.model_file import read_file
from tinyml_tool.graph.names import printable, tensor_name
from tinyml_tool.graph.operator_options import UnknownOptionError, read_options
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.tensor_reader import BufferFaultError, read_tensor, with_data
from tinyml_tool.graph.types import Graph, Operator, Tensor

_KINDS: dict[int, str] = {
    number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()
}
_CUSTOM: int = schema.BuiltinOperator.CUSTOM

_MAX_PROBLEMS = 1000
"""Of one sort; a file with more of them is noise."""


def read_model(path: str | Path) -> Graph:
    """Read the main subgraph of a model file; its name is the file's without the suffix.

    Raises InputError where there is no such file, InvalidModelError where it is no sound model.
    """
    path = Path(path)
    return _parse(read_file(path), name=path.stem, source=str(path))


def parse_model(data: bytes, name: str) -> Graph:
    """Read the main subgraph of a model in memory.

    Constants are read-only views of `data`. Raises InvalidModelError, which lists every
    contradiction inside the file; whether the model makes sense is for `checks` to say.
    """
    return _parse(bytes(data), name, source=name)


def _parse(data: bytes, name: str, source: str) -> Graph:
    check_identifier(data, source)
    try:
        verify(data, tflite_schema.MODEL)
    except FlatbufferError as error:
        raise damaged(data, source, error) from None
    model = schema.Model.GetRootAs(data, 0)
    if model.Version() != tflite_schema.SCHEMA_VERSION:
        raise InvalidModelError(
            f"{source}: TensorFlow Lite schema version {model.Version()}, "
            f"needs {tflite_schema.SCHEMA_VERSION}",
            hint="convert the model again with a current TensorFlow Lite converter",
        )
    if not model.SubgraphsLength():
        raise InvalidModelError(f"{source}: the model has no subgraph", hint=CONVERT_AGAIN)
    assembly = _Assembly(data, model)
    graph = assembly.graph(name)
    if assembly.problems:
        raise contradictory(source, assembly.problems)
    return graph


class _Assembly:
    """Puts the graph together, collecting what contradicts itself in `problems`."""

    def __init__(self, data: bytes, model: schema.Model) -> None:
        self._data = data
        self._model = model
        self.problems: list[Problem] = []

    def graph(self, name: str) -> Graph:
        """The graph of the main subgraph; sound only where `problems` stays empty."""
        subgraph = self._model.Subgraphs(0)
        tensors = self._tensors(subgraph)
        operators = self._operators(subgraph)
        inputs = _indices(subgraph.InputsLength(), subgraph.InputsAsNumpy)
        outputs = _indices(subgraph.OutputsLength(), subgraph.OutputsAsNumpy)
        flow = Dataflow(tensors, operators, inputs, outputs)
        wrong_indices = list(islice(index_problems(flow), _MAX_PROBLEMS))
        self.problems += wrong_indices
        if not wrong_indices:
            tensors = _with_empty_constants(flow)
            flow = replace(flow, tensors=tensors)
            self.problems += islice(order_problems(flow), _MAX_PROBLEMS)
        return Graph(
            name=name,
            tensors=tuple(tensors),
            operators=tuple(operators),
            inputs=inputs,
            outputs=outputs,
            model_hash=hashlib.sha256(self._data).hexdigest(),
        )

    def _buffers(self) -> list[NDArray[np.uint8] | None]:
        """Every buffer of the file, None where it is empty."""
        buffers: list[NDArray[np.uint8] | None] = []
        for index in range(self._model.BuffersLength()):
            stored = self._model.Buffers(index)
            if stored.DataLength():
                buffers.append(stored.DataAsNumpy())
            elif stored.Offset() > 1 and stored.Size() > 0:
                buffers.append(self._appended(index, stored.Offset(), stored.Size()))
            else:
                buffers.append(None)
        return buffers

    def _appended(self, index: int, first: int, count: int) -> NDArray[np.uint8] | None:
        """A buffer that lies behind the FlatBuffer, as in models of more than 2 GB."""
        if first + count > len(self._data):
            cause = (
                f"the file has {len(self._data)} bytes, "
                f"buffer {index} needs bytes {first} to {first + count}"
            )
            self.problems.append(Problem(None, cause, "the file is truncated: copy it again"))
            return None
        return np.frombuffer(self._data, np.uint8, count, first)

    def _tensors(self, subgraph: schema.SubGraph) -> list[Tensor]:
        buffers = self._buffers()
        return [
            self._tensor(subgraph.Tensors(index), index, buffers)
            for index in range(subgraph.TensorsLength())
        ]

    def _tensor(
        self, stored: schema.Tensor, index: int, buffers: Sequence[NDArray[np.uint8] | None]
    ) -> Tensor:
        tensor = read_tensor(stored, index)
        number = stored.Buffer()
        try:
            if number >= len(buffers):
                raise BufferFaultError(
                    f"its buffer {number} is absent: the file has {len(buffers)}"
                )
            buffer = buffers[number]
            return tensor if buffer is None else with_data(tensor, buffer)
        except BufferFaultError as error:
            cause = f"{tensor_name(index, tensor.name)}: {error}"
            self.problems.append(Problem(None, cause, CONVERT_AGAIN))
            # Still a constant: nobody shall be told as well that nothing writes it.
            return replace(tensor, data=np.frombuffer(b"", np.uint8))

    def _operators(self, subgraph: schema.SubGraph) -> list[Operator]:
        kinds = [
            _kind(self._model.OperatorCodes(index))
            for index in range(self._model.OperatorCodesLength())
        ]
        operators = []
        for index in range(subgraph.OperatorsLength()):
            stored = subgraph.Operators(index)
            code = stored.OpcodeIndex()
            operator = Operator(
                index=index,
                kind=kinds[code] if code < len(kinds) else "UNKNOWN",
                inputs=_indices(stored.InputsLength(), stored.InputsAsNumpy),
                outputs=_indices(stored.OutputsLength(), stored.OutputsAsNumpy),
            )
            if code >= len(kinds):
                cause = f"its operator code {code} is absent: the file has {len(kinds)}"
                self.problems.append(Problem.of(operator, cause, CONVERT_AGAIN))
            try:
                operator = replace(operator, options=read_options(stored, operator.kind))
            except UnknownOptionError as error:
                self.problems.append(Problem.of(operator, str(error), CONVERT_AGAIN))
            operators.append(operator)
        return operators


def _indices(length: int, read: Callable[[], NDArray[np.int32]]) -> tuple[int, ...]:
    # The accessor gives the number 0 in place of an array where the vector is absent.
    return tuple(read().tolist()) if length else ()


def _kind(code: schema.OperatorCode) -> str:
    # Old files have the number in a byte that ends at 127; new ones use both fields.
    number: int = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if number == _CUSTOM:
        return f"CUSTOM:{printable(code.CustomCode())}"
    return _KINDS.get(number, f"UNKNOWN:{number}")


def _with_empty_constants(flow: Dataflow) -> list[Tensor]:
    """The tensors, where an empty list that nothing writes became an empty constant.

    A file cannot tell an empty constant (the shape of a scalar) from a value to be computed.
    """
    given = {index for operator in flow.operators for index in operator.outputs}.union(flow.inputs)

    def is_empty_constant(tensor: Tensor) -> bool:
        empty = tensor.shape == (0,) and tensor.dtype.has_numpy
        return empty and not tensor.is_constant and tensor.index not in given

    return [
        with_data(tensor, np.frombuffer(b"", np.uint8)) if is_empty_constant(tensor) else tensor
        for tensor in flow.tensors
    ]
