"""The inputs of a run: files of the user, or made ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.graph.types import Graph
from tinyml_tool.verify.input_files import load_inputs
from tinyml_tool.verify.inputs import Vector, vectors


@dataclass(frozen=True, eq=False)
class ChosenInputs:
    """Inputs, and where each came from."""

    names: tuple[str, ...]
    values: tuple[Vector, ...]


def chosen_inputs(graph: Graph, files: Sequence[str | Path], count: int, seed: int) -> ChosenInputs:
    """The inputs in `files`, or `count` made ones where there are none.

    Raises InputError for a file that does not fit the model.
    """
    if not files:
        made = vectors(graph, count, seed)
        return ChosenInputs(tuple(f"made {number}" for number in range(count)), tuple(made))
    names: list[str] = []
    values: list[Vector] = []
    for file in files:
        loaded = load_inputs(file, graph)
        names += [str(file) if len(loaded) == 1 else f"{file}[{i}]" for i in range(len(loaded))]
        values += loaded
    return ChosenInputs(tuple(names), tuple(values))
