"""Features of a training: raw samples go through the C that the device runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from tinyml_tool.api.features import Features, load_features
from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.model_plan import carrying
from tinyml_tool.preprocess.plan import ValueFormat
from tinyml_tool.preprocess.spec import FeatureSpec, canonical_json, features_hash
from tinyml_tool.preprocess.standardize import standardized, without_scaling
from tinyml_tool.train.architecture import Architecture
from tinyml_tool.train.dataset import TRAIN, Dataset
from tinyml_tool.train.datasets.read import ReadOptions, read_dataset
from tinyml_tool.train.prepare import Prepared, prepare
from tinyml_tool.train.scaling import ScalingKind
from tinyml_tool.train.splits import SplitShares
from tinyml_tool.verify.sensor_samples import reading_for, sensor_samples

OwnFeatures: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""A user's function of raw samples (count, ...); no device knows it."""

FeatureSource: TypeAlias = str | Path | Mapping[str, Any] | FeatureSpec | Features | OwnFeatures
"""A project file, a model or a preset's name; a table `[features]`; a spec; or a function."""


@dataclass(frozen=True, eq=False)
class FeatureUse:
    """What turns raw samples into what a model learns."""

    spec: FeatureSpec | None
    """What the device computes; None for a user's function, of which it knows nothing."""
    own: OwnFeatures | None = None
    told: str | Mapping[str, Any] = "custom"
    """What the record says of a user's function."""

    @property
    def facts(self) -> dict[str, Any]:
        """What of `input` in `training.json` is about features."""
        if self.spec is None:
            return {"features": self.told}
        return {
            "features": json.loads(canonical_json(self.spec)),
            "features_sha256": features_hash(self.spec),
        }

    def of(
        self, data: Dataset, value_format: ValueFormat | None = None
    ) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """The function for samples of `data`; as the firmware stores them for `value_format`.

        Raises ToolMissingError, BuildError where the C cannot be compiled for this computer.
        """
        spec = self.spec
        if spec is None:
            assert self.own is not None, "there is one or the other"
            return self.own
        extractor = Features(spec)
        wanted = value_format or ValueFormat()
        return lambda raw: extractor.of_each(sensor_samples(data, raw, spec), wanted)


def feature_use(
    source: FeatureSource | None, told: str | Mapping[str, Any] = "custom"
) -> FeatureUse | None:
    """What a user means by `features`; None stays None.  Raises what `load_features` raises."""
    if source is None:
        return None
    if isinstance(source, Features):
        return FeatureUse(source.spec)
    if isinstance(source, (str, Path, Mapping)):
        return FeatureUse(load_features(source))
    if callable(source):
        return FeatureUse(None, source, told)
    return FeatureUse(source)


def read_data(
    data: str | Path | Dataset, reading: ReadOptions | None, use: FeatureUse | None
) -> Dataset:
    """The data set, in lengths that suit the features.  Raises InputError."""
    if isinstance(data, Dataset):
        return data
    if use is None or use.spec is None:
        return read_dataset(Path(data), reading)
    return read_dataset(Path(data), reading_for(use.spec, reading))


def prepare_with(
    use: FeatureUse | None,
    data: Dataset,
    arch: Architecture,
    *,
    shares: SplitShares,
    scaling: ScalingKind | None = None,
    normal: str | None = None,
) -> tuple[Prepared, FeatureUse | None]:
    """(the data ready for training, the features with all their figures).

    Nothing stands between a device's features and its model.  So `scaling="standardize"` becomes
    the last step of the features, with figures of the training part; other scalings are refused.
    """
    if use is None or use.spec is None:
        own = None if use is None else use.of(data)
        ready = prepare(data, arch, shares=shares, scaling=scaling, features=own, normal=normal)
        return ready, use
    if scaling not in (None, "none", "standardize"):
        raise InputError(
            f"scaling '{scaling}' does not go with features: the device does nothing after them",
            hint="take --scaling standardize, or mean and std in [features]",
        )
    if scaling == "standardize":
        plain = FeatureUse(without_scaling(use.spec))
        ready = prepare(data, arch, shares=shares, features=plain.of(data), normal=normal)
        values = ready.x[ready.parts == TRAIN].reshape(-1, *use.spec.shape)
        use = FeatureUse(standardized(use.spec, values))
    ready = prepare(data, arch, shares=shares, features=use.of(data), normal=normal)
    return ready, use


def keep_features(models: Iterable[Path], spec: FeatureSpec | None) -> None:
    """Put the spec into models that a training has just made; those that are not there are not.

    Raises InputError where the features are not what a model takes.
    """
    for path in models:
        if spec is not None and path.is_file():
            path.write_bytes(carrying(path.read_bytes(), spec, path.stem))
