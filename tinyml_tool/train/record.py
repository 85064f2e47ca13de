"""`training.json`: what a training was and gave, as the later steps read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.spec import FeatureSpec, features_hash, parse_features
from tinyml_tool.train.result_folder import RECORD_FILE
from tinyml_tool.train.scaling import Scaling, read_scaling

SCHEMA = 1


@dataclass(frozen=True)
class TrainingRecord:
    """What is needed to feed a trained model, and to judge it."""

    folder: Path
    task: str
    """`classification` or `reconstruction`."""
    classes: tuple[str, ...]
    normal: str | None
    raw_shape: tuple[int, ...]
    input_shape: tuple[int, ...]
    scaling: Scaling
    has_features: bool
    """Whether raw samples go through features first."""
    features: FeatureSpec | None
    """These, where the device computes them."""
    sample_rate: int | None
    data_sha256: str
    content: dict[str, Any]
    """All of the file."""


def read_record(folder: Path) -> TrainingRecord:
    """Read `training.json` in `folder`.  Raises InputError."""
    path = folder / RECORD_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise InputError(f"{path}: schema {content['schema']}; this version reads {SCHEMA}")
        source = content["input"]
        return TrainingRecord(
            folder=folder,
            task=content["task"],
            classes=tuple(content["classes"]),
            normal=content["normal"],
            raw_shape=tuple(source["raw_shape"]),
            input_shape=tuple(source["shape"]),
            scaling=read_scaling(source["scaling"]),
            has_features=source["features"] is not None,
            features=_features(path, source),
            sample_rate=source["sample_rate"],
            data_sha256=content["data"]["sha256"],
            content=content,
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no training record: {error}") from None


def _features(path: Path, source: Mapping[str, Any]) -> FeatureSpec | None:
    """The spec, if the features are a device's.  Raises InputError where it was changed since."""
    told = source.get("features_sha256")
    if told is None:
        return None
    spec = parse_features(source["features"], f"{path}: features")
    if features_hash(spec) != told:
        raise InputError(
            f"{path}: its features are not those of its hash {told[:16]}",
            hint="a record is not to be changed by hand: train again with other features",
        )
    return spec


def find_record(folder: Path) -> TrainingRecord | None:
    """The record in a folder; None where there is none, or a file of that name for other ends."""
    path = folder / RECORD_FILE
    if not path.is_file():
        return None
    try:
        if "schema" not in json.loads(path.read_text(encoding="utf-8")):
            return None
    except (OSError, ValueError, TypeError):
        return None
    return read_record(folder)
