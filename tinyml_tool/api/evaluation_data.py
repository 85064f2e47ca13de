"""The samples that a model is evaluated on, as its input tensor takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.training_features import FeatureUse, read_data
from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph, Tensor
from tinyml_tool.preprocess.model_plan import fits_shape, value_format
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.train.dataset import TEST, Dataset
from tinyml_tool.train.datasets.read import ReadOptions, read_dataset
from tinyml_tool.train.prepare import apply_features, parts_of
from tinyml_tool.train.record import TrainingRecord, find_record, read_record
from tinyml_tool.train.result_folder import TEST_FILE, VALIDATION_FILE
from tinyml_tool.train.scaling import ScalingKind, fit_scaling
from tinyml_tool.train.splits import SplitShares
from tinyml_tool.verify.conversion import fit_values, layout
from tinyml_tool.verify.sensor_samples import are_inputs


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs for a model, and their labels."""

    source: str
    """Where they come from, in words."""
    inputs: NDArray[Any]
    """(count, *shape of the input tensor), in its type."""
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def record_for(
    model: Path, data: Path | None, training: str | Path | None
) -> TrainingRecord | None:
    """The record that tells how the model is fed: named, or beside the model or the data."""
    if training is not None:
        path = Path(training)
        return read_record(path if path.is_dir() else path.parent)
    if data is not None and data.is_dir() and (found := find_record(data)):
        return found
    return find_record(model.parent) or (find_record(data.parent) if data is not None else None)


def evaluation_samples(
    graph: Graph,
    data: str | Path | Dataset | None,
    record: TrainingRecord | None,
    *,
    reading: ReadOptions | None = None,
    features: FeatureUse | None = None,
    scaling: ScalingKind | None = None,
) -> Samples:
    """Read `data` and bring them into the form of the model's input.

    A folder of `tinyml train` (or None: the record's) stands for its test samples.  Of the very
    data that a model was trained on, and of data that name a test part, only the test part is
    taken.  Raw samples go through `features` and the scaling of the record, or where these are the
    device's own, through its C alone; `scaling` is for models without either.  Raises InputError.
    """
    tensor = graph.tensor(graph.inputs[0])
    if len(graph.inputs) != 1:
        raise InputError(f"{graph.name} has {len(graph.inputs)} inputs; evaluation needs one")
    if data is None:
        if record is None:
            raise InputError(
                f"no training record lies beside {graph.name}", hint="name the data with --data"
            )
        data = record.folder
    if not isinstance(data, Dataset):
        path = Path(data)
        if path.is_dir() and find_record(path):
            path = path / TEST_FILE
        if is_prepared(path):
            prepared = read_dataset(path)
            return _samples(str(path), prepared, prepared.samples, tensor, record)
        data = read_data(path, reading, features)
    chosen, source = _test_part(data, record)
    if features is not None and features.spec is not None and _is_whole(features.spec, record):
        values = _from_sensor(chosen, features, tensor)
    elif record is not None:
        values = _as_trained(chosen, record, features)
    else:
        compute = None if features is None else features.of(chosen)
        values = _scaled(chosen, apply_features(chosen.samples, compute), scaling, tensor)
    return _samples(source, chosen, values, tensor, record)


def validation_samples(graph: Graph, record: TrainingRecord) -> Samples | None:
    """The validation samples beside a record; None where they are gone."""
    path = record.folder / VALIDATION_FILE
    if not path.is_file():
        return None
    data = read_dataset(path)
    return _samples(str(path), data, data.samples, graph.tensor(graph.inputs[0]), record)


def is_prepared(path: Path) -> bool:
    """Whether a file holds model inputs, as `tinyml train` leaves them, instead of raw samples."""
    if path.suffix != ".npz" or not path.is_file():
        return False
    try:
        with np.load(path, allow_pickle=False) as file:
            return "prepared" in file.files
    except Exception:  # read_dataset tells what is wrong with it
        return False


def _test_part(data: Dataset, record: TrainingRecord | None) -> tuple[Dataset, str]:
    if record is not None and record.data_sha256 == data.sha256:
        facts = record.content["data"]["split"]
        shares = SplitShares(facts["validation"], facts["test"], facts["seed"])
        chosen = parts_of(data, shares, record.normal) == TEST
        return _only(data, chosen), f"{data.name}, the test part of the training's division"
    if data.split is not None and (data.split == TEST).any():
        return _only(data, data.split == TEST), f"{data.name}, its test part"
    return data, f"{data.name}, all samples"


def _only(data: Dataset, chosen: NDArray[np.bool_]) -> Dataset:
    return replace(
        data, samples=data.samples[chosen], labels=data.labels[chosen], groups=None, split=None
    )


def _is_whole(spec: FeatureSpec, record: TrainingRecord | None) -> bool:
    """Whether the device's features are the model's input, with no scaling behind them."""
    return record is None or record.features == spec or record.scaling.kind == "none"


def _from_sensor(data: Dataset, features: FeatureUse, tensor: Tensor) -> NDArray[Any]:
    """Raw samples as the device stores them in its model's input; features are taken as they are.

    Raises InputError where the features are not what the model takes.
    """
    assert features.spec is not None, "they are a device's"
    if are_inputs(data, features.spec):
        return data.samples
    if not fits_shape(features.spec.shape, tensor.shape):
        raise InputError(
            f"the features make {'x'.join(map(str, features.spec.shape))} values, the model takes "
            f"{layout(tensor)}",
            hint="evaluate with the features of its training",
        )
    return apply_features(data.samples, features.of(data, value_format(tensor)))


def _as_trained(data: Dataset, record: TrainingRecord, features: FeatureUse | None) -> NDArray[Any]:
    """Raw samples as the numbers the model was trained on."""
    if record.has_features and features is None:
        raise InputError(
            "the model takes features, but the data are raw samples: "
            f"{record.content['input']['features']}",
            hint="evaluate with the features of its training, or give its training folder as data",
        )
    compute = None if features is None else features.of(data)
    return record.scaling.apply(apply_features(data.samples, compute))


def _scaled(
    data: Dataset, values: NDArray[Any], scaling: ScalingKind | None, tensor: Tensor
) -> NDArray[Any]:
    """Values for a model of which nothing more is known.  Raises InputError where that matters."""
    if scaling is not None:
        return fit_scaling(scaling, values).apply(values)
    if values.dtype.kind in "iu" and values.dtype != tensor.dtype.numpy:
        raise InputError(
            f"{data.name}: samples are {values.dtype}, the model's input is {layout(tensor)}, and "
            "no training record tells how one becomes the other",
            hint="say it with --scaling (unit: [0, 1], symmetric: [-1, 1], none), or name the "
            "folder of its training with --training",
        )
    return values


def _samples(
    source: str,
    data: Dataset,
    values: NDArray[Any],
    tensor: Tensor,
    record: TrainingRecord | None,
) -> Samples:
    if values[0].size != tensor.elements:
        raise InputError(
            f"{data.name}: a sample has {values[0].size} values "
            f"({'x'.join(map(str, values.shape[1:]))}), the model's input {layout(tensor)} takes "
            f"{tensor.elements}",
            hint="read the data as in training: same --window, --size, --seconds, --channels",
        )
    inputs = fit_values(data.name, values.reshape(len(values), *tensor.shape), tensor)
    if record is None:
        return Samples(source, inputs, data.labels, data.classes)
    return Samples(source, inputs, _labels(data, record), record.classes)


def _labels(data: Dataset, record: TrainingRecord) -> NDArray[np.int64]:
    """Labels as the model counts its classes.  Anomaly models accept classes they do not know."""
    known = list(record.classes)
    unknown = [name for name in data.classes if name not in known]
    if unknown and record.normal is None:
        raise InputError(
            f"{data.name}: class '{unknown[0]}' is none of the model's: {', '.join(known)}",
            hint="name the classes as in training",
        )
    numbers = [known.index(name) if name in known else len(known) for name in data.classes]
    return np.array(numbers, np.int64)[data.labels]
