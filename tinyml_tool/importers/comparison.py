"""Compares an imported model with what its source answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, permutations, product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import MismatchError, UnsupportedModelError
from tinyml_tool.graph.types import Graph
from tinyml_tool.reference.litert import LitertReference

DEFAULT_LIMIT = 1e-3
"""Largest difference over the largest magnitude of the source's answers."""
_MOST_TRIALS = 500

Order: TypeAlias = tuple[int, ...]
Columns: TypeAlias = list[NDArray[Any]]
"""One array an input or output, each with an axis of samples in front."""


@dataclass(frozen=True)
class Comparison:
    """How far the model's answers are from its source's."""

    samples: int
    random_inputs: bool
    largest_difference: float
    largest_value: float
    """Largest magnitude among the source's answers."""
    limit: float
    input_orders: tuple[Order, ...]
    """For each input: the order of the source's axes in the model; (0, 2, 3, 1) is from channels
    first to channels last."""
    output_orders: tuple[Order, ...]

    @property
    def relative(self) -> float:
        """The largest difference over the largest magnitude."""
        return self.largest_difference / max(self.largest_value, 1e-12)


def compare_with_source(
    model: bytes,
    graph: Graph,
    inputs: Columns,
    outputs: Columns,
    *,
    random_inputs: bool,
    limit: float = DEFAULT_LIMIT,
) -> Comparison:
    """Run the model on the source's inputs and compare all outputs.

    Converters change the order of axes; which one it is, the smallest difference tells.  Raises
    UnsupportedModelError where the shapes do not correspond, MismatchError beyond `limit`.
    """
    reference = LitertReference(model, graph.name)
    best = None
    for orders in islice(_orders(graph.inputs, graph, inputs), _MOST_TRIALS):
        first = _answers(reference, graph, [column[:1] for column in inputs], orders)
        closest = _closest(first, [column[:1] for column in outputs])
        if closest is not None and (best is None or closest[0] < best[0]):
            best = (*closest, orders)
        if best is not None and best[0] == 0:
            break
    if best is None:
        raise _no_correspondence(graph, inputs, outputs)
    _, output_orders, input_orders = best
    answers = _answers(reference, graph, inputs, input_orders)
    difference = _difference(answers, outputs, output_orders)
    result = Comparison(
        samples=len(inputs[0]),
        random_inputs=random_inputs,
        largest_difference=difference,
        largest_value=max(float(np.abs(column).max()) for column in outputs),
        limit=limit,
        input_orders=input_orders,
        output_orders=output_orders,
    )
    if not result.relative <= limit:
        raise MismatchError(
            f"the imported model differs from its source by {difference:.3g} "
            f"({result.relative:.2%} of the largest answer; the limit is {limit:.2%})",
            hint="the converter has changed the model: report it to the converter's makers, or "
            "raise the limit with --tolerance if that much is acceptable",
        )
    return result


def _orders(indices: Sequence[int], graph: Graph, columns: Columns) -> Iterator[tuple[Order, ...]]:
    if len(indices) != len(columns):
        return iter(())
    possible = [
        _axis_orders(column.shape[1:], graph.tensor(index).shape)
        for index, column in zip(indices, columns, strict=True)
    ]
    return product(*possible)


def _axis_orders(source: tuple[int, ...], target: tuple[int, ...]) -> list[Order]:
    """Orders of the source's axes that give the target's shape; as it is comes first.

    The empty order stands for the same values in a shape with other axes of length 1.
    """
    orders = [
        order
        for order in permutations(range(len(source)))
        if tuple(source[axis] for axis in order) == target and order[:1] == (0,)
    ]
    if not orders and [n for n in source if n != 1] == [n for n in target if n != 1]:
        return [()]
    return orders


def _moved(values: NDArray[Any], order: Order, shape: tuple[int, ...]) -> NDArray[Any]:
    plain = np.transpose(values, order) if order else values
    return np.ascontiguousarray(plain).reshape(shape)


def _answers(
    reference: LitertReference, graph: Graph, inputs: Columns, orders: tuple[Order, ...]
) -> Columns:
    answers = []
    for number in range(len(inputs[0])):
        vector = []
        for index, column, order in zip(graph.inputs, inputs, orders, strict=True):
            tensor = graph.tensor(index)
            moved = _moved(column[number], order, tensor.shape)
            vector.append(moved.astype(tensor.dtype.numpy))
        answers.append([np.array(one) for one in reference.run(vector)])
    return [np.stack(column) for column in zip(*answers, strict=True)]


def _closest(answers: Columns, outputs: Columns) -> tuple[float, tuple[Order, ...]] | None:
    """The smallest difference that any order of the outputs' axes gives."""
    if len(answers) != len(outputs):
        return None
    total, orders = 0.0, []
    for answer, output in zip(answers, outputs, strict=True):
        trials = [
            (_difference([answer], [output], (order,)), order)
            for order in _axis_orders(output.shape[1:], answer.shape[1:])
        ]
        if not trials:
            return None
        difference, order = min(trials, key=lambda trial: trial[0])
        total = max(total, difference)
        orders.append(order)
    return total, tuple(orders)


def _difference(answers: Columns, outputs: Columns, orders: tuple[Order, ...]) -> float:
    largest = 0.0
    for answer, output, order in zip(answers, outputs, orders, strict=True):
        for one, other in zip(answer, output, strict=True):
            moved = _moved(other, order, one.shape)
            gap = np.abs(one.astype(np.float64) - moved.astype(np.float64)).max(initial=0.0)
            largest = max(largest, float(gap) if np.isfinite(gap) else float("inf"))
    return largest


def _no_correspondence(graph: Graph, inputs: Columns, outputs: Columns) -> UnsupportedModelError:
    def shapes(columns: Columns) -> str:
        return ", ".join("x".join(map(str, column.shape[1:])) for column in columns)

    def sizes(indices: Sequence[int]) -> str:
        return ", ".join("x".join(map(str, graph.tensor(i).shape)) for i in indices)

    return UnsupportedModelError(
        "inputs and outputs of the converted model do not correspond to the source's",
        hint="the converter has changed the model's interface: report it to its makers",
        details=[
            f"inputs: source {shapes(inputs)}; model {sizes(graph.inputs)}",
            f"outputs: source {shapes(outputs)}; model {sizes(graph.outputs)}",
        ],
    )
