"""What of the C is needed for an answer spec and the model's output."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.preprocess.model_plan import value_format
from tinyml_tool.preprocess.plan import ValueFormat, struct_bytes


@dataclass(frozen=True)
class AnswerPlan:
    """A spec and the type of the model's output."""

    spec: AnswerSpec
    format: ValueFormat

    @property
    def ram_bytes(self) -> int:
        """Static RAM: the newest windows and their averages."""
        classes = len(self.spec.labels)
        scores = self.spec.average * classes
        return struct_bytes([(4, classes + 3), (self.format.dtype.itemsize, scores)])


def answer_plan(spec: AnswerSpec, graph: Graph) -> AnswerPlan:
    """The plan for the first output of a model.

    Raises InputError where the labels are not as many as its scores, or it is of no usable type.
    """
    tensor = graph.tensors[graph.outputs[0]]
    if tensor.elements != len(spec.labels):
        raise InputError(
            f"{graph.name}: [answer] has {len(spec.labels)} labels, but the model's output "
            f"'{tensor.name}' has {tensor.elements} scores",
            hint="name every class, in the order of the model's outputs",
        )
    return AnswerPlan(spec, value_format(tensor))
