"""Where a model comes from: a path, given or named by a project file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.errors import InputError, InvalidModelError
from tinyml_tool.graph.reader import read_model
from tinyml_tool.graph.types import Graph


@dataclass(frozen=True, eq=False)
class ModelSource:
    """A model as a graph and as the bytes the reference needs."""

    graph: Graph
    data: bytes


def load_model(model: str | Path) -> ModelSource:
    """Read and check a `.tflite` file.

    Raises InvalidModelError or InputError with what is wrong and what to do.
    """
    path = Path(model)
    graph = read_model(path)
    try:
        return ModelSource(graph, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def load_project_model(project: Path, file: str, expected_hash: str) -> ModelSource:
    """Read the model that a project carries along, which must be the one it was generated from.

    Raises InvalidModelError where it is another one.
    """
    source = load_model(project / file)
    if source.graph.model_hash != expected_hash:
        raise InvalidModelError(
            f"{project / file}: not the model this project was generated from",
            hint="generate the project again with `tinyml generate`",
        )
    return source
