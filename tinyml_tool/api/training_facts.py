"""What `training.json` tells: how a model came to be, and on what data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinyml_tool.api.training_features import FeatureUse
from tinyml_tool.train.architecture import Architecture
from tinyml_tool.train.dataset import PARTS, TRAIN
from tinyml_tool.train.engine_process import EngineResult
from tinyml_tool.train.job import Job, balanced_weights
from tinyml_tool.train.prepare import Prepared
from tinyml_tool.train.record import SCHEMA
from tinyml_tool.train.settings import TrainSettings
from tinyml_tool.train.splits import SplitShares, split_sha256
from tinyml_tool.version import VERSION


def what_was_trained(
    job: Job,
    prepared: Prepared,
    arch: Architecture,
    start_from: str | Path | None,
    features: FeatureUse | None,
) -> dict[str, Any]:
    """What was trained, and on what inputs."""
    data = prepared.data
    return {
        "schema": SCHEMA,
        "tool": VERSION,
        "task": job.task,
        "mode": job.mode,
        "architecture": arch.to_json(),
        "start_from": None if start_from is None else str(start_from),
        "settings": job.settings.to_json(),
        "class_weights": job.class_weights and list(job.class_weights),
        "classes": list(data.classes),
        "normal": prepared.normal,
        "input": {
            "shape": list(prepared.x.shape[1:]),
            "raw_shape": list(data.shape),
            "sample_rate": data.sample_rate,
            **(features.facts if features is not None else {"features": None}),
            "scaling": prepared.scaling.to_json(),
        },
    }


def outcome_of(result: EngineResult, seconds: float) -> dict[str, Any]:
    """What the engine made of it; what a mode tells besides the usual is under `more`."""
    usual = ("parameters", "best_epoch", "history")
    return {
        "versions": result.versions,
        "seconds": round(seconds, 1),
        **{name: result.facts[name] for name in usual},
        "more": {name: value for name, value in result.facts.items() if name not in usual},
    }


def data_facts(prepared: Prepared, shares: SplitShares) -> dict[str, Any]:
    """The data, their division, and the hashes of both."""
    data = prepared.data
    return {
        "name": data.name,
        "kind": data.kind,
        "sha256": data.sha256,
        "samples": len(data),
        "groups": None if data.groups is None else len(np.unique(data.groups)),
        "split": {
            "validation": shares.validation,
            "test": shares.test,
            "seed": shares.seed,
            "sha256": split_sha256(prepared.parts),
            "samples": {
                name: int((prepared.parts == part).sum()) for part, name in enumerate(PARTS)
            },
        },
        "prepared_sha256": prepared.sha256,
    }


def weights_of_classes(prepared: Prepared, settings: TrainSettings) -> tuple[float, ...] | None:
    """The weight of each class, where classes are to be balanced."""
    if not settings.balance or prepared.normal is not None:
        return None
    _, labels = prepared.part(TRAIN)
    return balanced_weights(labels, len(prepared.data.classes))
