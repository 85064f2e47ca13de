"""Judges a model's answers: classes right or wrong, or errors above a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.evaluation import ModelFigures
from tinyml_tool.api.evaluation_data import Samples
from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph
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
from tinyml_tool.verify.real_values import real_values


@dataclass(frozen=True)
class Judge:
    """What it takes to judge a model's answers."""

    graph: Graph
    normal: str | None
    """The class that is no anomaly; None for a classifier."""
    threshold: Threshold | None = None
    """Of an anomaly model; None: chosen by the judged samples themselves."""

    def figures(self, samples: Samples, answers: Sequence[Outputs]) -> ModelFigures:
        """Figures of the answers to all samples."""
        scores = _scores(self.graph, answers)
        if self.normal is None:
            return _classified(self.graph, samples, scores)
        errors = self.errors(samples, answers)
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

    def errors(self, samples: Samples, answers: Sequence[Outputs]) -> NDArray[np.float64]:
        """The reconstruction error of each sample, as a device can compute it."""
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
