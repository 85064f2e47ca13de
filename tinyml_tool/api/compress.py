"""`compress`: from a trained model to a smaller one, and what that costs and saves on a board."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyml_tool.api.compression import Compressed, Row
from tinyml_tool.api.cost import measure_cost, require_emulator
from tinyml_tool.api.evaluate import evaluate
from tinyml_tool.api.evaluation import ModelFigures
from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.api.int8_model import int8_of
from tinyml_tool.api.training_facts import outcome_of, weights_of_classes
from tinyml_tool.api.training_features import keep_features
from tinyml_tool.api.training_figures import figures_of
from tinyml_tool.api.training_run import (
    check_same,
    result_files,
    resumable,
    run_job,
    scores_of,
)
from tinyml_tool.boards import Board, load_board
from tinyml_tool.errors import (
    BuildError,
    DeviceError,
    DoesNotFitError,
    InputError,
    ToolMissingError,
    UnsupportedModelError,
)
from tinyml_tool.preprocess.model_features import features_of_model
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.train.architecture import Architecture, read_architecture
from tinyml_tool.train.compression import ANEW, CompressOptions, Method, check_options
from tinyml_tool.train.dataset import TEST, VALIDATION
from tinyml_tool.train.engine_process import EngineResult
from tinyml_tool.train.job import Job, write_job
from tinyml_tool.train.output_lock import alone_in_output
from tinyml_tool.train.prepare import Prepared
from tinyml_tool.train.record import TrainingRecord, read_record
from tinyml_tool.train.result_folder import (
    CALIBRATION_FILE,
    FLOAT_FILE,
    INT8_FILE,
    KERAS_FILE,
    check_target,
    close_work,
    open_work,
    write_result,
)
from tinyml_tool.train.settings import Augmentation, TrainSettings, check_settings
from tinyml_tool.train.trained_samples import read_trained_samples
from tinyml_tool.version import VERSION

TABLE_FILE = "compression.json"
UNTRAINED_FILE = "model_int8_untrained.tflite"
FURTHER_EPOCHS = 20
FURTHER_RATE = 1e-3
_NO_COST = (ToolMissingError, BuildError, DeviceError, DoesNotFitError, UnsupportedModelError)
"""What leaves a row without its cost: hours of training are not lost for that."""


@alone_in_output
def compress(
    model: str | Path,
    *,
    method: Method,
    output: str | Path,
    options: CompressOptions | None = None,
    settings: TrainSettings | None = None,
    teacher: str | Path | None = None,
    board: str | Path | Board = "qemu-m4",
    measure: bool = True,
    resume: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
) -> Compressed:
    """Make the trained model in the folder `model` smaller, into the folder `output`.

    `model` is a folder of `train` or of `compress`, or a file in one.  Without `settings`, a model
    is fitted further for 20 epochs at a learning rate of 0.001, and a new one (`distill`, `scale`)
    as the given one was.  `teacher` is the folder of another teacher for `distill`.  The table
    compares the given model with the result on its test samples and, unless `measure` is False, on
    `board`.  After an interruption `resume` goes on.  Raises InputError for options, data and
    places, ToolMissingError without TensorFlow, TrainingError where the training process dies.
    """
    options = options or CompressOptions()
    check_options(method, options)
    target, chip = Path(output), load_board(board)
    if measure:
        require_emulator(chip)
    record = record_of(model)
    settings = settings or usual_settings(record, method)
    check_settings(settings)
    arch = _architecture(record, method, options)
    engine_model, engine_options = _engine_options(record, method, options, arch, teacher)
    check_target(target, force=force)
    if target.exists() and target.resolve() == record.folder.resolve():
        raise InputError(f"{target}: is the given model", hint="choose another --output")
    progress("reading the data")
    prepared = read_trained_samples(record)
    work = open_work(target, resume=resume, force=force)
    job = Job(
        work=work,
        model=engine_model,
        task=record.task,
        classes=len(record.classes),
        settings=settings,
        class_weights=weights_of_classes(prepared, settings),
        mode=method,
        options={**engine_options, "data_sha256": prepared.sha256},
    )
    if resume:
        check_same(job)
    write_job(job, prepared.x, prepared.y, prepared.parts)
    started = time.monotonic()
    result = run_job(work, target, progress)
    seconds = time.monotonic() - started
    content = {
        **record.content,
        **_new_content(record, job, arch, result, seconds),
        **_figures(work, prepared),
        "compression": {"method": method, "of": str(model), **options.of(method)},
    }
    with resumable(target):
        progress("quantizing the result")
        _finish_int8(record, work, method, target.name)
        rows = _table(record, work, method, content["parameters"], chip, measure, progress)
    compressed = Compressed(
        target, method, options.of(method), chip.id, quality_name(record), rows, content
    )
    table = (json.dumps(compressed.to_json(), indent=2) + "\n").encode()
    write_result(
        target,
        {name: work / name for name in (KERAS_FILE, FLOAT_FILE, INT8_FILE)},
        {**result_files(prepared, content), TABLE_FILE: table},
        force=force,
    )
    close_work(work)
    return compressed


def _finish_int8(record: TrainingRecord, work: Path, method: str, name: str) -> None:
    """Quantize the result, unless training did, and give it the features of the given model."""
    models = [work / file for file in (FLOAT_FILE, INT8_FILE, UNTRAINED_FILE)]
    keep_features(models, given_features(record))
    if method != "qat":
        content = int8_of(work / FLOAT_FILE, record.folder / CALIBRATION_FILE, name)
        (work / INT8_FILE).write_bytes(content)


def given_features(record: TrainingRecord) -> FeatureSpec | None:
    """What the record or the given model's int8 file tells of its raw samples; None for nothing."""
    if record.features is not None:
        return record.features
    file = record.folder / INT8_FILE
    return features_of_model(file.read_bytes(), str(file)) if file.is_file() else None


def usual_settings(record: TrainingRecord, method: str) -> TrainSettings:
    """How a training goes on, or begins anew, if nobody says how."""
    told = dict(record.content["settings"])
    told["augmentation"] = Augmentation(**told["augmentation"])
    settings = TrainSettings(**told)
    if method in ANEW:
        return settings
    return replace(settings, epochs=FURTHER_EPOCHS, learning_rate=FURTHER_RATE)


def record_of(model: str | Path) -> TrainingRecord:
    """The record of the training that left `model`, a folder or a file in one.

    Raises InputError where none did.
    """
    path = Path(model)
    folder = path if path.is_dir() else path.parent
    record = folder / "training.json"
    if not path.exists() or not record.is_file():
        raise InputError(
            f"{path}: is no folder of `tinyml train`",
            hint="compressing needs the training data and the Keras model that `tinyml train` "
            "leaves; a .keras file gets them by `tinyml train DATA --from FILE -o FOLDER`",
        )
    return read_record(folder)


def _architecture(record: TrainingRecord, method: str, options: CompressOptions) -> Architecture:
    """What the result is built from: the given architecture, or a narrower one."""
    given = read_architecture(record.content["architecture"])
    if method not in ANEW:
        return given
    if options.student is not None:
        return read_architecture(options.student)
    return read_architecture(replace(given, width=given.width * options.width))


def _engine_options(
    record: TrainingRecord,
    method: str,
    options: CompressOptions,
    arch: Architecture,
    teacher: str | Path | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what model the engine begins with, the options of its mode)."""
    keras = {"file": str((record.folder / KERAS_FILE).resolve())}
    if teacher is not None and method != "distill":
        raise InputError(f"a teacher is for method distill, not {method}", hint="leave it out")
    if method == "qat":
        fake_quant = {
            "weight_bits": options.weight_bits,
            "ranges": options.ranges,
            "per_channel": not options.per_tensor,
        }
        return keras, {"fake_quant": fake_quant}
    if method == "prune":
        return keras, {"share": options.share, "criterion": options.criterion}
    if method == "cluster":
        return keras, {"clusters": options.clusters}
    built = {"architecture": arch.to_json()}
    resolution = averaged(record) * options.resolution
    if method == "scale":
        return built, {"resolution": resolution}
    teacher_record = record if teacher is None else record_of(teacher)
    _check_teacher(record, teacher_record)
    distillation = {
        "temperature": options.temperature,
        "share": options.teacher_share,
        "features": options.features,
    }
    file = str((teacher_record.folder / KERAS_FILE).resolve())
    return built, {
        "resolution": resolution,
        "teacher": file,
        "distillation": distillation,
    }


def averaged(record: TrainingRecord) -> int:
    """Places along each axis that the given model averages to one before its architecture."""
    return int(record.content.get("averaged", 1))


def _check_teacher(record: TrainingRecord, teacher: TrainingRecord) -> None:
    """Raise InputError where the teacher knows other classes, or takes other inputs."""
    if record.task != "classification":
        raise InputError(
            f"{record.folder}: distillation is for classifiers, and this is an anomaly model",
            hint="use --method qat, prune or scale",
        )
    if teacher.classes != record.classes:
        raise InputError(
            f"the teacher in {teacher.folder} knows {len(teacher.classes)} classes "
            f"({', '.join(teacher.classes[:5])}, ...), the data have {len(record.classes)} "
            f"({', '.join(record.classes[:5])}, ...)",
            hint="train the teacher on the same classes, in the same order",
        )
    if teacher.input_shape != record.input_shape or teacher.scaling != record.scaling:
        raise InputError(
            f"the teacher in {teacher.folder} takes other inputs: shape {teacher.input_shape} and "
            f"scaling {teacher.scaling.kind}, the data have {record.input_shape} and "
            f"{record.scaling.kind}",
            hint="train the teacher on the same data, with the same division and scaling",
        )


def _new_content(
    record: TrainingRecord, job: Job, arch: Architecture, result: EngineResult, seconds: float
) -> dict[str, Any]:
    """What of the record the compression changed."""
    return {
        "tool": VERSION,
        "mode": job.mode,
        "architecture": arch.to_json(),
        "averaged": job.options.get("resolution", averaged(record)),
        "start_from": str(record.folder),
        "settings": job.settings.to_json(),
        "class_weights": job.class_weights and list(job.class_weights),
        **outcome_of(result, seconds),
    }


def _figures(work: Path, prepared: Prepared) -> dict[str, Any]:
    return {
        name: figures_of(scores_of(work, name), prepared, part).to_json()
        for name, part in (("validation", VALIDATION), ("test", TEST))
    }


def _table(
    record: TrainingRecord,
    work: Path,
    method: str,
    parameters: int,
    board: Board,
    measure: bool,
    progress: Progress,
) -> tuple[Row, ...]:
    """The given model against the result, the last row."""
    folder = record.folder
    before = record.content["parameters"]
    int8 = folder / INT8_FILE
    content = (
        int8.read_bytes()
        if int8.is_file()
        else int8_of(folder / FLOAT_FILE, folder / CALIBRATION_FILE, folder.name)
    )
    baseline = work / "baseline_int8.tflite"
    baseline.write_bytes(content)
    judged = [
        ("given, float", folder / FLOAT_FILE, before, False),
        ("given, int8", baseline, before, measure),
    ]
    if method == "qat":
        judged.append(("rounded, not trained", work / UNTRAINED_FILE, parameters, False))
    judged.append((f"{method}, float", work / FLOAT_FILE, parameters, False))
    judged.append((f"{method}, int8", work / INT8_FILE, parameters, measure))
    return tuple(
        measured_row(name, file, record, count, board if costs else None, progress)
        for name, file, count, costs in judged
    )


def measured_row(
    name: str,
    file: Path,
    record: TrainingRecord,
    parameters: int | None,
    board: Board | None,
    progress: Progress = no_progress,
) -> Row:
    """Judge a `.tflite` on the test samples of `record` and, with a `board`, measure it there."""
    progress(f"judging {name}")
    found = evaluate(file, data=record.folder, training=record.folder)
    row = Row(name, quality_of(found.host), found.samples, parameters, file.stat().st_size)
    if board is None:
        return row
    progress(f"measuring {name} on {board.id}")
    try:
        return replace(row, cost=measure_cost(file, board))
    except _NO_COST as error:
        return replace(row, why_not=error.message)


def quality_of(figures: ModelFigures) -> float | None:
    """Accuracy of a classifier, AUC of an anomaly detector."""
    if figures.anomaly is not None:
        return figures.anomaly.auc
    assert figures.confusion is not None, "there is one or the other"
    return figures.confusion.accuracy


def quality_name(record: TrainingRecord) -> str:
    """What `Row.quality` is for a model of this training."""
    return "accuracy" if record.task == "classification" else "AUC"
