"""`evaluate`: how good a model is on data, in the reference and on a device."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_tool.api.engines import EngineOptions
from tinyml_tool.api.evaluation import DeviceFigures, Evaluation
from tinyml_tool.api.evaluation_data import (
    Samples,
    evaluation_samples,
    record_for,
    validation_samples,
)
from tinyml_tool.api.evaluation_judge import Judge, normal_class
from tinyml_tool.api.generate import (
    Progress,
    compile_for,
    no_progress,
    write_generated,
)
from tinyml_tool.api.model_source import ModelSource, load_model
from tinyml_tool.api.preprocessing import plan_answer, plan_preprocessing
from tinyml_tool.api.project import Project, open_project
from tinyml_tool.api.session import EmulatorName, choose_emulator, open_session
from tinyml_tool.api.training_features import FeatureSource, FeatureUse, feature_use
from tinyml_tool.boards import Board, load_board
from tinyml_tool.config import Optimize
from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.preprocess.answer_spec import AnomalySpec, AnswerSpec
from tinyml_tool.preprocess.model_features import features_of_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.answer_binding import AnswerStream
from tinyml_tool.toolchain.build import System, build_project
from tinyml_tool.train.dataset import Dataset
from tinyml_tool.train.datasets.read import ReadOptions
from tinyml_tool.train.record import TrainingRecord
from tinyml_tool.train.scaling import ScalingKind
from tinyml_tool.verify.agreement import Outputs, agreement
from tinyml_tool.verify.anomaly import Threshold, threshold_for
from tinyml_tool.verify.answer_runs import run_answered
from tinyml_tool.verify.device_answers import AnswerParity, DeviceAnswer, compare_answers

HOST = "host"
FALSE_ALARMS = 0.05
_DEVICE_BATCH = 64


def evaluate(
    model: str | Path,
    *,
    data: str | Path | Dataset | None = None,
    on: str | Path | Board = HOST,
    training: str | Path | None = None,
    engine: str = "aot",
    optimize: Optimize | None = None,
    reading: ReadOptions | None = None,
    features: FeatureSource | None = None,
    answer: Mapping[str, Any] | AnswerSpec | None = None,
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
    classes and task, where it is beside neither; `scaling` is for models without.  Raw samples go
    through `features`, by default those that the model carries, or else that the record tells.
    `limit` takes only the first samples.  An anomaly model's threshold is `threshold`, or the error
    that a share of `false_alarms` of its normal validation samples exceeds.  `answer`, a spec or a
    table `[answer]`, or else the one in the model, decides by its thresholds and anomaly score,
    each sample apart from the others; the device computes that itself.  A device that disagrees is
    not raised: it is in `device.agreement`.  Raises InputError for data that do not suit the model,
    and what `generate`, `build` and the device raise.
    """
    progress("reading model and data")
    source = load_model(model)
    graph = source.graph
    place = None if data is None or isinstance(data, Dataset) else Path(data)
    record = record_for(Path(model), place, training)
    samples = _limited(
        evaluation_samples(
            graph,
            data,
            record,
            reading=reading,
            features=_features(features, source, record),
            scaling=scaling,
        ),
        limit,
    )
    reference = TflmReference(source.data, graph.name)
    plan = plan_answer(source, answer)
    referee = Judge(graph, _normal(graph, record, samples, normal, plan), answer=plan)
    if referee.normal is not None:
        chosen = _spec_threshold(plan) if threshold is None else None
        chosen = chosen or _threshold(referee, record, reference, threshold, false_alarms, progress)
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
        answer=plan,
    )
    device = DeviceFigures(
        found.board,
        found.ran_on,
        engine,
        agreement(expected, found.answers),
        referee.figures(samples, found.answers, found.told if plan is not None else None),
        found.instructions,
        _answers_compared(plan, samples, found),
    )
    return Evaluation(str(model), samples.source, len(samples), host, device)


def _features(
    given: FeatureSource | None, source: ModelSource, record: TrainingRecord | None
) -> FeatureUse | None:
    """What makes the model's inputs of raw samples: as told, as the device does, as recorded."""
    if given is None:
        given = features_of_model(source.data, source.graph.name)
    if given is None and record is not None:
        given = record.features
    return feature_use(given)


@dataclass(frozen=True, eq=False)
class _DeviceRun:
    """What a device answered."""

    board: str
    ran_on: str
    answers: list[Outputs]
    told: list[DeviceAnswer]
    """What it says of them, where it has an answer spec."""
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
    answer: AnswerPlan | None,
) -> _DeviceRun:
    """Build the model's firmware in a folder of its own, and run all samples on the device."""
    emulator = choose_emulator(board, emulator, port)
    with _project(source, board, engine, optimize, progress, answer) as project:

        def elf() -> Path:
            return build_project(project.folder, board, system, progress=progress).elf

        with open_session(
            project, elf=elf, port=port, emulator=emulator, time_limit=time_limit
        ) as session:
            answers: list[Outputs] = []
            told: list[DeviceAnswer] = []
            for start in range(0, len(samples), _DEVICE_BATCH):
                batch = [[one] for one in samples.inputs[start : start + _DEVICE_BATCH]]
                if answer is None:
                    answers += session.runner.run_many(batch)
                else:
                    both = run_answered(answer, session.runner, batch, apart=True)
                    answers += [outputs for outputs, _ in both]
                    told += [said for _, said in both]
                progress(_counted(len(answers), len(samples), session.device.name))
            instructions = session.benchmark().instructions
            return _DeviceRun(board.id, session.client.hello().board, answers, told, instructions)


@contextmanager
def _project(
    source: ModelSource,
    board: Board,
    engine: str,
    optimize: Optimize | None,
    progress: Progress,
    answer: AnswerPlan | None,
) -> Iterator[Project]:
    """A project of the model, gone afterwards."""
    progress("compiling the model")
    preprocessing = plan_preprocessing(source, None)
    plan = compile_for(
        source,
        board,
        engine=engine,
        options=EngineOptions(optimize),
        features=preprocessing,
        answer=answer,
    )
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        generated = write_generated(
            source,
            plan,
            board=board,
            output=Path(folder) / "project",
            features=preprocessing,
            answer=answer,
            progress=progress,
        )
        yield open_project(generated.project)


def _answers_compared(
    plan: AnswerPlan | None, samples: Samples, found: _DeviceRun
) -> AnswerParity | None:
    """What the device says of its outputs beside what this computer says of them."""
    if plan is None:
        return None
    windows = [
        (one, outputs[0]) for one, outputs in zip(samples.inputs, found.answers, strict=True)
    ]
    return compare_answers(AnswerStream(plan), windows, found.told, apart=True)


def _normal(
    graph: Graph,
    record: TrainingRecord | None,
    samples: Samples,
    normal: str | None,
    plan: AnswerPlan | None,
) -> str | None:
    """The normal class: named, the record's, or the first label of an anomaly score."""
    if normal is None and record is None and plan is not None and not plan.is_classes:
        normal = plan.spec.labels[0]
    name = normal_class(graph, record, samples, normal)
    if name is not None and plan is not None and plan.is_classes:
        raise InputError(
            f"{graph.name}: is an anomaly model by its training, but its answer spec has classes",
            hint='write kind = "anomaly" and a threshold into [answer]',
        )
    return name


def _spec_threshold(plan: AnswerPlan | None) -> Threshold | None:
    if plan is None or not isinstance(plan.spec, AnomalySpec):
        return None
    return Threshold(float(np.float32(plan.spec.threshold)), "of the model's answer spec")


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


def _threshold(
    referee: Judge,
    record: TrainingRecord | None,
    reference: TflmReference,
    threshold: float | None,
    false_alarms: float,
    progress: Progress,
) -> Threshold | None:
    if threshold is not None:
        return Threshold(threshold, "given")
    samples = validation_samples(referee.graph, record) if record else None
    if samples is None:
        return None
    answers = _on_host(reference, samples, "the reference (validation)", progress)
    told = referee.told(samples, answers)
    return threshold_for(referee.errors(samples, answers, told), false_alarms)
