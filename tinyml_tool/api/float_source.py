"""Where a float model comes from: a file, or the folder that a training left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tinyml_tool.environments.make import Consent, refuse
from tinyml_tool.errors import InputError
from tinyml_tool.graph.model_file import read_file
from tinyml_tool.importers.convert import ImportRequest, convert
from tinyml_tool.importers.normalise import NormalModel, normalise
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.train.record import find_record
from tinyml_tool.train.result_folder import (
    CALIBRATION_FILE,
    FLOAT_FILE,
    KERAS_FILE,
    RECORD_FILE,
    TEST_FILE,
)

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class FloatSource:
    """A float model and the data that lie beside it."""

    path: Path
    name: str
    data: Path | None
    test: Path | None
    keras: Path | None = None
    """The Keras file that it comes from."""
    normal: int = 0
    """The label of what is no anomaly, for a model that rebuilds its input."""
    features: FeatureSpec | None = None
    """What the record of its training tells of raw samples."""
    classes: tuple[str, ...] = ()
    """Names of the classes, in the order of its outputs, where the record tells them."""

    def read(
        self, consent: Consent = refuse, progress: Callable[[str], None] = lambda text: None
    ) -> NormalModel:
        """The model, ready to be quantized; its inputs keep their layout, as the data have it.

        A Keras file is converted first, if `consent` allows what that needs.  Raises
        InvalidModelError, UnsupportedModelError, ToolMissingError.
        """
        if self.keras is not None:
            model = convert(ImportRequest(str(self.keras)), consent, progress).model
        else:
            model = normalise(read_file(self.path), self.name, layout=False)
        return replace(model, features=model.features or self.features)


def find_float_model(
    model: str | Path, data: str | Path | None = None, test: str | Path | None = None
) -> FloatSource:
    """What the user means by `model`; a training's folder brings its data along.

    Raises InputError for a folder that no training made, and for other formats.
    """
    path = Path(model)
    given = None if data is None else Path(data)
    others = None if test is None else Path(test)
    if path.is_dir():
        return _training(path, given, others)
    if path.suffix in KERAS_SUFFIXES:
        features, classes = _told(path, KERAS_FILE)
        return FloatSource(
            path, path.stem, given, others, keras=path, features=features, classes=classes
        )
    if path.suffix in (".onnx", ".pt2", ".pt", ".pth"):
        raise InputError(
            f"{path}: is no .tflite", hint=f"make one first: tinyml import {path} -o model.tflite"
        )
    features, classes = _told(path, FLOAT_FILE)
    return FloatSource(path, path.stem, given, others, features=features, classes=classes)


def _training(folder: Path, data: Path | None, test: Path | None) -> FloatSource:
    path = folder / FLOAT_FILE
    if not path.is_file():
        raise InputError(
            f"{folder}: holds no {FLOAT_FILE}",
            hint="give the folder that `tinyml train` made, or a float .tflite file",
        )
    beside = folder / CALIBRATION_FILE
    tests = folder / TEST_FILE
    features, classes = _told(path, FLOAT_FILE)
    return FloatSource(
        path,
        folder.resolve().name,
        data or (beside if beside.is_file() else None),
        test or (tests if tests.is_file() and data is None else None),
        normal=_normal_label(folder / RECORD_FILE),
        features=features,
        classes=classes,
    )


def _told(model: Path, name: str) -> tuple[FeatureSpec | None, tuple[str, ...]]:
    """Features and classes of the training that left `model` under this name."""
    record = find_record(model.parent) if model.name == name else None
    return (None, ()) if record is None else (record.features, record.classes)


def _normal_label(record: Path) -> int:
    """The number of the class that an anomaly detector was trained on; 0 for other models."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        return int(content["classes"].index(content["normal"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0
