"""What of the C is needed for an answer spec and the model's output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph, Tensor
from tinyml_tool.preprocess.answer_spec import AnomalySpec, AnswerSpec, ClassesSpec, answer_hash
from tinyml_tool.preprocess.model_plan import the_input, value_format
from tinyml_tool.preprocess.plan import ValueFormat, struct_bytes

MOST_REBUILT = 1 << 20
"""Values of an input that sums of 64 bits hold exactly, and double precision, too."""


@dataclass(frozen=True)
class Rebuilt:
    """The input that an autoencoder gives back: so many values of this type."""

    values: int
    format: ValueFormat


@dataclass(frozen=True)
class AnswerPlan:
    """A spec and the type of the model's output."""

    spec: AnswerSpec
    format: ValueFormat
    rebuilt: Rebuilt | None = None
    """Of an anomaly score."""

    @property
    def ram_bytes(self) -> int:
        """Static RAM: the newest windows, their sums, and of an anomaly score the input."""
        windows = self.spec.average
        if self.rebuilt is not None:
            kept = (self.rebuilt.format.dtype.itemsize, self.rebuilt.values)
            return struct_bytes([(4, windows + 4), kept])
        classes = len(self.spec.labels)
        return struct_bytes([(4, classes + 3), (self.format.dtype.itemsize, windows * classes)])

    @property
    def top(self) -> int:
        """How many of the best classes are told."""
        spec = self.spec
        return min(spec.top, len(spec.labels)) if isinstance(spec, ClassesSpec) else 1

    @property
    def is_classes(self) -> bool:
        """Whether the scores are of classes."""
        return isinstance(self.spec, ClassesSpec)

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        windows = self.spec.average
        averaged = f", averaged over {windows} windows" if windows > 1 else ""
        if self.rebuilt is not None:
            return f"Anomaly score of {self.rebuilt.values:,} values{averaged}."
        return f"Scores of {len(self.spec.labels)} classes{averaged}."

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the spec."""
        return answer_hash(self.spec)


def answer_plan(spec: AnswerSpec, graph: Graph) -> AnswerPlan:
    """The plan for the first output of a model.

    Raises InputError where the spec does not suit it: another number of labels than scores, a
    threshold that no score or every score reaches, an anomaly score of what is no autoencoder, or
    values of no usable type.
    """
    tensor = graph.tensors[graph.outputs[0]]
    if isinstance(spec, AnomalySpec):
        return _anomaly_plan(spec, graph, tensor)
    if tensor.elements != len(spec.labels):
        raise InputError(
            f"{graph.name}: [answer] has {len(spec.labels)} labels, but the model's output "
            f"'{tensor.name}' has {tensor.elements} scores",
            hint="name every class, in the order of the model's outputs",
        )
    plan = AnswerPlan(spec, value_format(tensor))
    _check_thresholds(spec, plan.format, f"{graph.name}: the model's output '{tensor.name}'")
    return plan


def _check_thresholds(spec: ClassesSpec, stored: ValueFormat, output: str) -> None:
    if not stored.is_quantized:
        return
    least, most = (stored.scale * (limit - stored.zero_point) for limit in stored.limits)
    for label, threshold in zip(spec.labels, spec.least, strict=True):
        if not least <= threshold <= most:
            never = "is reached by no score" if threshold > most else "is reached by every score"
            raise InputError(
                f"{output} holds scores from {least:g} to {most:g}: the threshold {threshold:g} of "
                f"'{label}' {never}",
                hint="write thresholds as real numbers, in the unit of the model's scores",
            )


def _anomaly_plan(spec: AnomalySpec, graph: Graph, output: Tensor) -> AnswerPlan:
    source = the_input(graph)
    if _sides(source) != _sides(output):
        raise InputError(
            f"{graph.name}: an anomaly score compares the model's input with its output, but input "
            f"'{source.name}' is {_shape(source)}, output '{output.name}' {_shape(output)}",
            hint='use an autoencoder, or kind = "classes" where the outputs are scores of classes',
        )
    if source.elements > MOST_REBUILT:
        raise InputError(
            f"{graph.name}: an anomaly score of {source.elements:,} values is too large, the limit "
            f"is {MOST_REBUILT:,}"
        )
    given, made = value_format(source), value_format(output)
    if given.is_quantized != made.is_quantized:
        raise InputError(
            f"{graph.name}: its input is {given.type}, its output {made.type}: an anomaly score "
            "needs both quantized, or neither",
            hint="quantize the model with full-integer quantization",
        )
    return AnswerPlan(spec, made, Rebuilt(source.elements, given))


def _sides(tensor: Tensor) -> tuple[int, ...]:
    return tuple(side for side in tensor.shape if side != 1)


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape))
