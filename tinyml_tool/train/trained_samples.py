"""The samples that a training left beside its model, as a further training takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import TEST, TRAIN, VALIDATION, Kind, make_dataset
from tinyml_tool.train.prepare import Prepared
from tinyml_tool.train.record import TrainingRecord
from tinyml_tool.train.result_folder import TEST_FILE, TRAIN_FILE, VALIDATION_FILE

_FILES = {TRAIN_FILE: TRAIN, VALIDATION_FILE: VALIDATION, TEST_FILE: TEST}


def read_trained_samples(record: TrainingRecord) -> Prepared:
    """All parts in the folder of `record`, prepared as they were.  Raises InputError."""
    arrays = [_read(record.folder / name) for name in _FILES]
    x = np.concatenate([samples for samples, _ in arrays])
    y = np.concatenate([labels for _, labels in arrays])
    parts = np.concatenate(
        [
            np.full(len(labels), part, np.int8)
            for (_, labels), part in zip(arrays, _FILES.values(), strict=True)
        ]
    )
    if x.shape[1:] != record.input_shape:
        raise InputError(
            f"{record.folder}: samples of shape {x.shape[1:]}, but the record tells "
            f"{record.input_shape}",
            hint="train again: the folder's files do not belong together",
        )
    facts = record.content["data"]
    kind: Kind = facts["kind"]
    data = make_dataset(facts["name"], kind, x, y, record.classes, split=parts)
    return Prepared(data, data.samples, data.labels, parts, record.scaling, record.normal)


def _read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    try:
        with np.load(path) as file:
            return np.asarray(file["x"], np.float32), np.asarray(file["y"], np.int64)
    except FileNotFoundError:
        raise InputError(
            f"{path}: is not there, and fitting further needs it",
            hint="train again with this version: `tinyml train` leaves the samples in its folder",
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
