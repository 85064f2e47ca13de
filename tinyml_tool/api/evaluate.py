"""`evaluate`: how good a model is on data, in the reference and on a device."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.evaluation_data import (
    Samples,
    evaluation_samples,
    record_for,
    validation_samples,
)
from tinyml_tool.api.generate import Progress, compile_for, no_progress, write_generated
from tinyml_tool.api.model_source import ModelSource, load_model
from tinyml_tool.api.project import Project, open_project
from tinyml_tool.api.session import EmulatorName, choose_emulator, open_session
from tinyml_tool.boards import Board, load_board
from tinyml_tool.config import Optimize
from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.build import System, build_project
from tinyml_tool.train.dataset import Dataset
from tinyml_tool.train.datasets.read import ReadOptions
from tinyml_tool.train.prepare import Features
from tinyml_tool.train.record import TrainingRecord
from tinyml_tool.train.scaling import ScalingKind
from tinyml_tool.verify.agreement import Agreement, Outputs, agreement
from tinyml_tool.verify.anomaly import (
    AnomalyFigures,
    Threshold,
    area_under_roc,
    judge,
    reconstruction_errors,
    threshold_between,
    threshold_for,
)
from tinyml_tool.verify.confusion import Confusion, confusion
from tinyml_tool.verify.real_values import real_values

HOST = "host"
FALSE_ALARMS = 0.05
_DEVICE_BATCH = 64


@dataclass(frozen=True)
class ModelFigures:
    """How good answers are: of a classifier or of an anomaly model."""

    confusion: Confusion | None = None
    anomaly: AnomalyFigures | None = None
    auc: float | None = None
    """Of a classifier of two classes: by its score of the second one."""

    def to_json(self) -> dict[str, Any]:
        """As `evaluate --json` tells it."""
        if self.anomaly is not None:
            return {"task": "anomaly", **self.anomaly.to_json()}
        assert self.confusion is not None, "there is one or the other"
        return {"task": "classification", **self.confusion.to_json(), "auc": self.auc}


@dataclass(frozen=True)
class DeviceFigures:
    """The same samples on a device."""

    board: str
    ran_on: str
    engine: str
    agreement: Agreement
    figures: ModelFigures
    instructions_per_inference: int | None

    def to_json(self) -> dict[str, Any]:
        """As `evaluate --json` tells it."""
        return {
            "board": self.board,
            "ran_on": self.ran_on,
            "engine": self.engine,
            "agreement": self.agreement.to_json(),
            "figures": self.figures.to_json(),
            "instructions_per_inference": self.instructions_per_inference,
        }


@dataclass(frozen=True)
class Evaluation:
    """A model's figures on data; on the host, and where asked for on a device."""

    model: str
    data: str
    samples: int
    host: ModelFigures
    device: DeviceFigures | None = None

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "model": self.model,
            "data": self.data,
            "samples": self.samples,
            "host": self.host.to_json(),
            "device": self.device.to_json() if self.device else None,
        }


@dataclass(frozen=True)
class _Judge:
    """What it takes to judge a model's answers."""

    graph: Graph
    record: TrainingRecord | None
    normal: str | None
    threshold: Threshold | None

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


def evaluate(
    model: str | Path,
    *,
    data: str | Path | Dataset | None = None,
    on: str | Path | Board = HOST,
    training: str | Path | None = None,
    engine: str = "aot",
    optimize: Optimize | None = None,
    reading: ReadOptions | None = None,
    features: Features | None = None,
    scaling: ScalingKind | None = None,
    normal: str | None = None,
    threshold: float | None = None,
    false_alarms: float = FALSE_ALARMS,
    limit: int | None = None,
    port: str | None = None,
    emulator: EmulatorName | None = None,
    system: System = "platformio",
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Run `model` (`.tflite`, quantized or float) on `data` in the reference, and on a board.

    `data` is any form of data set, or a folder of `train`, whose test samples are taken; None:
    the folder the model lies in.  `training` names the folder of `train` that tells scaling,
    classes and task, where it is beside neither; `scaling` is for models without.  `limit` takes
    only the first samples.  An anomaly model's threshold is `threshold`, or the error that a share
    of `false_alarms` of its normal validation samples exceeds.  Disagreement of the device is not
    raised: it is in `device.agreement`.  Raises InputError for data that do not suit the model,
    and what `generate`, `build` and the device raise.
    """
    progress("reading model and data")
    source = load_model(model)
    graph = source.graph
    place = None if data is None or isinstance(data, Dataset) else Path(data)
    record = record_for(Path(model), place, training)
    samples = _limited(
        evaluation_samples(
            graph, data, record, reading=reading, features=features, scaling=scaling
        ),
        limit,
    )
    reference = TflmReference(source.data, graph.name)
    referee = _Judge(graph, record, _normal(graph, record, samples, normal), None)
    if referee.normal is not None:
        chosen = _threshold(referee, reference, threshold, false_alarms, progress)
        referee = replace(referee, threshold=chosen)
    expected = _on_host(reference, samples, "the reference", progress)
    host = referee.figures(samples, expected)
    if on == HOST:
        return Evaluation(str(model), samples.source, len(samples), host)
    found = _on_device(
        source,
        samples,
        load_board(on),
        engine=engine,
        optimize=optimize,
        port=port,
        emulator=emulator,
        system=system,
        time_limit=time_limit,
        progress=progress,
    )
    device = DeviceFigures(
        found.board,
        found.ran_on,
        engine,
        agreement(expected, found.answers),
        referee.figures(samples, found.answers),
        found.instructions,
    )
    return Evaluation(str(model), samples.source, len(samples), host, device)


@dataclass(frozen=True, eq=False)
class _DeviceRun:
    """What a device answered."""

    board: str
    ran_on: str
    answers: list[Outputs]
    instructions: int | None


def _on_device(
    source: ModelSource,
    samples: Samples,
    board: Board,
    *,
    engine: str,
    optimize: Optimize | None,
    port: str | None,
    emulator: EmulatorName | None,
    system: System,
    time_limit: float | None,
    progress: Progress,
) -> _DeviceRun:
    """Build the model's firmware in a folder of its own, and run all samples on the device."""
    emulator = choose_emulator(board, emulator, port)
    with _project(source, board, engine, optimize, progress) as project:

        def elf() -> Path:
            return build_project(project.folder, board, system, progress=progress).elf

        with open_session(
            project, elf=elf, port=port, emulator=emulator, time_limit=time_limit
        ) as session:
            answers: list[Outputs] = []
            for start in range(0, len(samples), _DEVICE_BATCH):
                batch = [[one] for one in samples.inputs[start : start + _DEVICE_BATCH]]
                answers += session.runner.run_many(batch)
                progress(_counted(len(answers), len(samples), session.device.name))
            instructions = session.benchmark().instructions
            return _DeviceRun(board.id, session.client.hello().board, answers, instructions)


@contextmanager
def _project(
    source: ModelSource, board: Board, engine: str, optimize: Optimize | None, progress: Progress
) -> Iterator[Project]:
    """A project of the model, gone afterwards."""
    progress("compiling the model")
    plan = compile_for(source, board, engine=engine, optimize=optimize)
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        generated = write_generated(
            source, plan, board=board, output=Path(folder) / "project", progress=progress
        )
        yield open_project(generated.project)


def _on_host(
    reference: TflmReference, samples: Samples, name: str, progress: Progress
) -> list[Outputs]:
    answers: list[Outputs] = []
    for one in samples.inputs:
        answers.append([np.array(output) for output in reference.run([one])])
        progress(_counted(len(answers), len(samples), name))
    return answers


def _counted(done: int, samples: int, place: str) -> str:
    return f"sample {done} of {samples} on {place}, {100 * done // samples} %"


def _limited(samples: Samples, limit: int | None) -> Samples:
    if limit is None or limit >= len(samples):
        return samples
    return replace(
        samples,
        source=f"{samples.source}, the first {limit}",
        inputs=samples.inputs[:limit],
        labels=samples.labels[:limit],
    )


def _normal(
    graph: Graph, record: TrainingRecord | None, samples: Samples, normal: str | None
) -> str | None:
    """The normal class of an anomaly model; None for a classifier."""
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


def _threshold(
    referee: _Judge,
    reference: TflmReference,
    threshold: float | None,
    false_alarms: float,
    progress: Progress,
) -> Threshold | None:
    if threshold is not None:
        return Threshold(threshold, "given")
    samples = validation_samples(referee.graph, referee.record) if referee.record else None
    if samples is None:
        return None
    answers = _on_host(reference, samples, "the reference (validation)", progress)
    return threshold_for(referee.errors(samples, answers), false_alarms)


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
