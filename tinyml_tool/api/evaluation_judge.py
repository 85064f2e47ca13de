"""Judges a model's answers: classes right or wrong, or errors above a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.evaluation import Decided, ModelFigures
from tinyml_tool.api.evaluation_data import Samples
from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.preprocess.answer_spec import ClassesSpec
from tinyml_tool.toolchain.answer_binding import Answer, AnswerStream
from tinyml_tool.train.record import TrainingRecord
from tinyml_tool.verify.agreement import Outputs
from tinyml_tool.verify.anomaly import (
    Threshold,
    area_under_roc,
    judge,
    reconstruction_errors,
    threshold_between,
)
from tinyml_tool.verify.confusion import confusion
from tinyml_tool.verify.device_answers import DeviceAnswer
from tinyml_tool.verify.real_values import real_values

Told: TypeAlias = Answer | DeviceAnswer
"""What this computer or a device says of an output."""


@dataclass(frozen=True)
class Judge:
    """What it takes to judge a model's answers."""

    graph: Graph
    normal: str | None
    """The class that is no anomaly; None for a classifier."""
    threshold: Threshold | None = None
    """Of an anomaly model; None: chosen by the judged samples themselves."""
    answer: AnswerPlan | None = None
    """What the firmware says of outputs; None where nothing tells that."""

    def figures(
        self, samples: Samples, answers: Sequence[Outputs], told: Sequence[Told] | None = None
    ) -> ModelFigures:
        """Figures of the outputs for all samples.

        `told` is what a device says of them; None: this computer says it, by the same C.
        """
        said = self.told(samples, answers) if told is None else told
        if self.normal is None:
            return self._classified(samples, answers, said)
        errors = self.errors(samples, answers, said)
        anomalous = samples.labels != _index(samples.classes, self.normal)
        threshold = self.threshold
        if threshold is None:
            if anomalous.all() or not anomalous.any():
                raise InputError(
                    "a threshold cannot be chosen without validation samples and without both "
                    "normal samples and anomalies",
                    hint="give one with --threshold",
                )
            threshold = threshold_between(errors, anomalous)
        return ModelFigures(anomaly=judge(errors, anomalous, threshold))

    def told(self, samples: Samples, answers: Sequence[Outputs]) -> list[Told]:
        """What the firmware's C says of each sample by itself; empty without an answer spec."""
        if self.answer is None:
            return []
        stream = AnswerStream(self.answer)
        given = samples.inputs if self.answer.rebuilt is not None else [None] * len(samples)
        return [stream.alone(outputs[0], one) for outputs, one in zip(answers, given, strict=True)]

    def _classified(
        self, samples: Samples, answers: Sequence[Outputs], told: Sequence[Told]
    ) -> ModelFigures:
        figures = _classified(self.graph, samples, _scores(self.graph, answers))
        spec = self.answer.spec if self.answer is not None else None
        if not isinstance(spec, ClassesSpec):
            return figures
        _check_labels(spec, samples)
        _check_numbers(told)
        least = np.array(spec.least, np.float32)
        sure = [
            (answer.best, int(label))
            for answer, label in zip(told, samples.labels, strict=True)
            if answer.best is not None
            and answer.score >= least[answer.best]
            and spec.labels[answer.best] not in spec.ignore
        ]
        right = sum(best == label for best, label in sure)
        return replace(figures, decided=Decided(len(samples), len(sure), right))

    def errors(
        self, samples: Samples, answers: Sequence[Outputs], told: Sequence[Told]
    ) -> NDArray[np.float64]:
        """The reconstruction error of each sample: what the firmware says, or would."""
        if self.answer is not None:
            _check_numbers(told)
            return np.array([answer.score for answer in told], np.float64)
        tensor = self.graph.tensor(self.graph.inputs[0])
        return reconstruction_errors(
            real_values(samples.inputs, tensor).reshape(len(samples), -1),
            _scores(self.graph, answers),
        )


def normal_class(
    graph: Graph, record: TrainingRecord | None, samples: Samples, normal: str | None
) -> str | None:
    """The normal class of an anomaly model: `normal`, or the record's; None for a classifier.

    Raises InputError for a class that does not exist, and a model that is no autoencoder.
    """
    name = normal or (record.normal if record is not None else None)
    if name is None:
        return None
    if name not in samples.classes:
        raise InputError(
            f"no class is '{name}'; there are {', '.join(samples.classes)}",
            hint="name the class that is no anomaly with --normal",
        )
    source, answer = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    if source.elements != answer.elements:
        raise InputError(
            f"{graph.name} gives {answer.elements} values for {source.elements}: it is no "
            "autoencoder",
            hint="leave out --normal",
        )
    return name


def _check_numbers(told: Sequence[Told]) -> None:
    bad = [number for number, answer in enumerate(told) if answer.best is None]
    if bad:
        raise InputError(
            f"sample {bad[0]}: the model's output is no number, or infinite "
            f"({len(bad)} of {len(told)} samples)",
            hint="check the data for such values, and the training for too large steps",
        )


def _check_labels(spec: ClassesSpec, samples: Samples) -> None:
    if spec.labels != samples.classes:
        raise InputError(
            f"the answer spec calls the classes {', '.join(spec.labels[:8])}, the data "
            f"{', '.join(samples.classes[:8])}",
            hint="name them alike and in the same order",
        )


def _scores(graph: Graph, answers: Sequence[Outputs]) -> NDArray[np.float64]:
    """The first output of each inference as real numbers, (count, elements)."""
    tensor = graph.tensor(graph.outputs[0])
    return np.stack([real_values(outputs[0], tensor).reshape(-1) for outputs in answers])


def _classified(graph: Graph, samples: Samples, scores: NDArray[np.float64]) -> ModelFigures:
    if scores.shape[1] != len(samples.classes):
        raise InputError(
            f"{graph.name} gives {scores.shape[1]} values, but the data have "
            f"{len(samples.classes)} classes",
            hint="an anomaly model needs --normal CLASS; else give data with the model's classes",
        )
    answers = scores.argmax(axis=1).astype(np.int64)
    auc = None
    if len(samples.classes) == 2:
        auc = area_under_roc(scores[:, 1] - scores[:, 0], samples.labels == 1)
    return ModelFigures(confusion(samples.labels, answers, samples.classes), auc=auc)


def _index(classes: Sequence[str], name: str) -> int:
    return list(classes).index(name)
