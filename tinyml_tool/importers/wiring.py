"""Who reads and writes which tensor of a model that is being changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinyml_tool.graph.model_objects import kind_of, new_constant
from tinyml_tool.importers.constants import constant_values, is_constant


@dataclass(frozen=True, eq=False)
class Wiring:
    """A view of the main subgraph, made anew after every change."""

    model: schema.ModelT

    @property
    def graph(self) -> schema.SubGraphT:
        """The main subgraph."""
        return self.model.subgraphs[0]

    @property
    def operators(self) -> list[schema.OperatorT]:
        """In execution order."""
        return list(self.graph.operators)

    def kind(self, operator: schema.OperatorT) -> str:
        """The schema's name of it."""
        return kind_of(self.model, operator)

    def readers(self, tensor: int) -> list[schema.OperatorT]:
        """The operators that read it."""
        return [op for op in self.graph.operators if tensor in list(op.inputs)]

    def writer(self, tensor: int) -> schema.OperatorT | None:
        """The operator that writes it."""
        found = (op for op in self.graph.operators if tensor in list(op.outputs))
        return next(found, None)

    def is_output(self, tensor: int) -> bool:
        """Whether it leaves the model."""
        return tensor in list(self.graph.outputs)

    def is_input(self, tensor: int) -> bool:
        """Whether it enters the model."""
        return tensor in list(self.graph.inputs)

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Its lengths."""
        stored = self.graph.tensors[tensor].shape
        return tuple(int(length) for length in stored) if stored is not None else ()

    def set_shape(self, tensor: int, shape: Sequence[int]) -> None:
        """Change its lengths."""
        self.graph.tensors[tensor].shape = [int(length) for length in shape]

    def constant(self, tensor: int) -> NDArray[Any] | None:
        """Its stored values; None where it has none."""
        if tensor < 0 or not is_constant(self.model, self.graph.tensors[tensor]):
            return None
        return constant_values(self.model, self.graph.tensors[tensor])

    def add_constant(self, values: NDArray[Any]) -> int:
        """A new constant tensor; returns its number."""
        tensor = schema.TensorT()
        tensor.type = getattr(schema.TensorType, values.dtype.name.upper())
        tensor.shape = list(values.shape)
        tensor.hasRank = True
        tensor.name = f"constant_{len(self.graph.tensors)}".encode()
        tensor.buffer = new_constant(self.model, values)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def drop(self, operator: schema.OperatorT) -> None:
        """Remove an operator."""
        self.graph.operators = [other for other in self.graph.operators if other is not operator]

    def redirect(self, old: int, new: int) -> None:
        """Let everything that reads `old` read `new`."""
        for operator in self.graph.operators:
            operator.inputs = [new if index == old else int(index) for index in operator.inputs]
        self.graph.outputs = [new if index == old else int(index) for index in self.graph.outputs]

    def permutation(self, operator: schema.OperatorT) -> tuple[int, ...] | None:
        """What a TRANSPOSE does; None for other operators or a computed permutation."""
        if self.kind(operator) != "TRANSPOSE":
            return None
        order = self.constant(int(operator.inputs[1]))
        return None if order is None else tuple(int(axis) for axis in np.reshape(order, -1))


def compose(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    """The permutation that does `first`, then `second`."""
    return tuple(first[axis] for axis in second)
