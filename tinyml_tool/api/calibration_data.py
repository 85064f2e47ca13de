"""The samples that a float model is quantized on: its inputs, or raw samples of its features."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_tool.api.training_features import FeatureUse, read_data
from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph
from tinyml_tool.preprocess.model_plan import plan_for_model
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.quantization.samples import Samples, read_samples
from tinyml_tool.train.prepare import apply_features

_RAW_SUFFIXES = (".csv", ".ts")


def read_calibration(
    path: Path, graph: Graph, features: FeatureSpec | None, classes: tuple[str, ...] = ()
) -> Samples:
    """The samples in `path`: `.npz` and `.npy` hold inputs, folders and tables raw samples.

    Raw samples go through `features` by the device's own C.  Their labels are told by the names of
    the model's `classes`, and left out where these are not known.  Raises InputError.
    """
    if not path.is_dir() and path.suffix.lower() not in _RAW_SUFFIXES:
        return read_samples(path, graph)
    if features is None:
        raise InputError(
            f"{path}: holds raw samples, and the model does not tell its features",
            hint="give a .npz with inputs as the model takes them, or tell the features first: "
            "`tinyml features store MODEL --features FILE`",
        )
    plan_for_model(features, graph)
    use = FeatureUse(features)
    data = read_data(path, None, use)
    inputs = apply_features(data.samples, use.of(data))
    shape = graph.tensor(graph.inputs[0]).shape
    vectors = tuple((one.reshape(shape),) for one in np.asarray(inputs, np.float32))
    known = set(data.classes) <= set(classes)
    labels = [classes.index(data.classes[label]) for label in data.labels] if known else None
    return Samples(str(path), vectors, None if labels is None else tuple(labels))
