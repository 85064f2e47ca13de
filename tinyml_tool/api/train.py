"""`train`: from a data set to a float model and all that the later steps need."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.api.training_facts import (
    data_facts,
    outcome_of,
    weights_of_classes,
    what_was_trained,
)
from tinyml_tool.api.training_features import (
    FeatureSource,
    feature_use,
    keep_features,
    prepare_with,
    read_data,
)
from tinyml_tool.api.training_figures import Figures, figures_of
from tinyml_tool.api.training_run import check_same, result_files, run_job, scores_of
from tinyml_tool.errors import InputError
from tinyml_tool.train.architecture import Architecture, read_architecture
from tinyml_tool.train.dataset import TEST, VALIDATION, Dataset
from tinyml_tool.train.datasets.read import ReadOptions
from tinyml_tool.train.job import Job, write_job
from tinyml_tool.train.output_lock import alone_in_output
from tinyml_tool.train.result_folder import (
    FLOAT_FILE,
    KERAS_FILE,
    check_target,
    close_work,
    open_work,
    write_result,
)
from tinyml_tool.train.scaling import ScalingKind
from tinyml_tool.train.settings import TrainSettings, check_settings
from tinyml_tool.train.splits import SplitShares


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished training."""

    folder: Path
    record: Mapping[str, Any]
    """What `training.json` holds."""
    validation: Figures
    test: Figures

    @property
    def keras_file(self) -> Path:
        """The model as Keras stores it."""
        return self.folder / KERAS_FILE

    @property
    def float_model(self) -> Path:
        """The model as float `.tflite`."""
        return self.folder / FLOAT_FILE

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {"output": str(self.folder), **self.record}


@alone_in_output
def train(
    data: str | Path | Dataset,
    *,
    arch: str | Mapping[str, Any] | Architecture,
    output: str | Path,
    settings: TrainSettings | None = None,
    reading: ReadOptions | None = None,
    shares: SplitShares | None = None,
    scaling: ScalingKind | None = None,
    features: FeatureSource | None = None,
    features_record: str | Mapping[str, Any] = "custom",
    normal: str | None = None,
    start_from: str | Path | None = None,
    mode: str = "train",
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
) -> Trained:
    """Train a float model of `arch` on `data` and write everything to the folder `output`.

    `features` is what the device makes of raw samples: a project file with `[features]`, a preset's
    name, a spec.  The samples then go through the device's own C, the record holds the spec, and
    the model carries it.  A function of raw samples (count, ...) serves too, but no device knows
    it; `features_record` is what the record says of it.
    `start_from` is a `.keras` file to fit further.  `mode` and `options` choose what the engine
    does.  After an interruption, `resume` goes on from the last complete epoch, to the same result.
    Raises InputError for data, settings and places, ToolMissingError without TensorFlow,
    TrainingError where the training process dies.
    """
    target = Path(output)
    settings, shares = settings or TrainSettings(), shares or SplitShares()
    check_settings(settings)
    chosen = read_architecture(arch)
    model = _model(chosen, start_from)
    check_target(target, force=force)
    use = feature_use(features, features_record)
    progress("reading the data")
    dataset = read_data(data, reading, use)
    if use is not None:
        progress(f"computing the features of {len(dataset):,} samples")
    prepared, use = prepare_with(
        use, dataset, chosen, shares=shares, scaling=scaling, normal=normal
    )
    work = open_work(target, resume=resume, force=force)
    job = Job(
        work=work,
        model=model,
        task="reconstruction" if chosen.reconstructs else "classification",
        classes=len(dataset.classes),
        settings=settings,
        class_weights=weights_of_classes(prepared, settings),
        mode=mode,
        options={**(options or {}), "data_sha256": prepared.sha256},
    )
    if resume:
        check_same(job)
    write_job(job, prepared.x, prepared.y, prepared.parts)
    started = time.monotonic()
    result = run_job(work, target, progress)
    seconds = time.monotonic() - started
    keep_features([work / FLOAT_FILE], use.spec if use is not None else None)
    validation, test = (
        figures_of(scores_of(work, name), prepared, part)
        for name, part in (("validation", VALIDATION), ("test", TEST))
    )
    record = {
        **what_was_trained(job, prepared, chosen, start_from, use),
        "data": data_facts(prepared, shares),
        **outcome_of(result, seconds),
        "validation": validation.to_json(),
        "test": test.to_json(),
    }
    write_result(
        target,
        {name: work / name for name in (KERAS_FILE, FLOAT_FILE)},
        result_files(prepared, record),
        force=force,
    )
    close_work(work)
    return Trained(target, record, validation, test)


def _model(arch: Architecture, start_from: str | Path | None) -> dict[str, Any]:
    if start_from is None:
        return {"architecture": arch.to_json()}
    path = Path(start_from)
    if not path.is_file():
        raise InputError(f"{path}: does not exist", hint="name a .keras file to go on from")
    return {"file": str(path.resolve())}
