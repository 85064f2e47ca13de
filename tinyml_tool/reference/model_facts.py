"""What interpreters need to know of a model file: which tensors go in, between and out."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.errors import InvalidModelError


@dataclass(frozen=True)
class ModelFacts:
    """Tensor numbers of the main subgraph."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operator_outputs: tuple[int, ...]
    """Each once, in execution order."""


def model_facts(model: bytes, name: str) -> ModelFacts:
    """Read them.  Raises InvalidModelError for a damaged file."""
    from ai_edge_litert import schema_py_generated as schema

    try:
        graph = schema.Model.GetRootAs(model, 0).Subgraphs(0)
        operators = [graph.Operators(i) for i in range(graph.OperatorsLength())]
        outputs = [op.Outputs(i) for op in operators for i in range(op.OutputsLength())]
        return ModelFacts(
            tuple(graph.Inputs(i) for i in range(graph.InputsLength())),
            tuple(graph.Outputs(i) for i in range(graph.OutputsLength())),
            tuple(dict.fromkeys(outputs)),
        )
    except Exception as error:
        raise InvalidModelError(f"{name} is damaged: {error}") from None
