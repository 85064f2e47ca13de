"""Features in Python: what the firmware will compute of raw samples, by the firmware's own C."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import ConfigError, InputError
from tinyml_tool.preprocess.plan import ValueFormat, ValueType
from tinyml_tool.preprocess.planning import plan_features
from tinyml_tool.preprocess.spec import (
    FeatureSpec,
    canonical_json,
    features_hash,
    parse_features,
)
from tinyml_tool.strict_toml import read_toml
from tinyml_tool.toolchain.features_binding import FeatureStream


def load_features(source: str | Path | Mapping[str, Any]) -> FeatureSpec:
    """The feature spec of a project file (`[features]` in a `.toml`), a model, or a preset's name.

    A mapping is such a table itself.  Raises InputError where there is none, ConfigError that lists
    every wrong key and value.
    """
    if isinstance(source, Mapping):
        return parse_features(source, "features")
    path = Path(source)
    if path.suffix == ".toml":
        return _from_toml(path)
    if path.suffix == ".tflite":
        return _from_model(path)
    return parse_features({"preset": str(source)}, "features")


def _from_toml(path: Path) -> FeatureSpec:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    table = read_toml(text, str(path)).get("features")
    if not isinstance(table, dict):
        raise InputError(f"{path}: has no table [features]")
    return parse_features(table, f"{path}: [features]")


def _from_model(path: Path) -> FeatureSpec:
    from tinyml_tool.graph.model_file import read_file
    from tinyml_tool.preprocess.model_features import features_of_model

    spec = features_of_model(read_file(path), str(path))
    if spec is None:
        raise InputError(
            f"{path}: the model does not tell its features",
            hint="put them into a table [features] of tinyml.toml",
        )
    return spec


class Features:
    """Computes the features of a spec.  The first use compiles the C for this computer.

        extractor = tt.Features(tt.load_features("tinyml.toml"))
        inputs = extractor.extract(samples)        # float32, one for each complete window

    Calling the object gives the features of many samples, one window of each, as training wants
    them: tt.train(..., features=extractor).
    """

    def __init__(self, spec: FeatureSpec) -> None:
        """Raises ConfigError where the spec cannot be computed, ToolMissingError, BuildError."""
        self.spec = spec
        self._real = FeatureStream(plan_features(spec))
        self._quantized: dict[ValueFormat, FeatureStream] = {}

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the features of one window."""
        return self.spec.shape

    @property
    def hash(self) -> str:
        """SHA-256 that names the spec."""
        return features_hash(self.spec)

    @property
    def record(self) -> dict[str, Any]:
        """The whole spec as JSON holds it, for the records of a training."""
        values: dict[str, Any] = json.loads(canonical_json(self.spec))
        return values

    def extract(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Features of every complete window in `samples`; (windows, *shape), real numbers."""
        return self._real.extract(samples)

    def quantized(
        self, samples: NDArray[Any], scale: float, zero_point: int, dtype: ValueType = "int8"
    ) -> NDArray[Any]:
        """As `extract`, as the firmware stores them for an input of such a quantization."""
        return self._stream(ValueFormat(dtype, scale, zero_point)).extract(samples)

    def __call__(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Features of the first window of each of `samples`, (count, ...); (count, *shape).

        Raises InputError where these are too short for a window.
        """
        return self.of_each(samples, ValueFormat())

    def of_each(self, samples: NDArray[Any], value_format: ValueFormat) -> NDArray[Any]:
        """As calling the object, as the firmware stores them for an input of such a format."""
        features = np.empty((len(samples), *self.shape), value_format.dtype)
        stream = self._stream(value_format) if value_format.is_quantized else self._real
        for number, sample in enumerate(samples):
            windows = stream.extract(sample)
            if len(windows) == 0:
                raise InputError(
                    f"sample {number}: {np.size(sample):,} raw values are too few for one window"
                )
            features[number] = windows[0]
        return features

    def push(self, samples: NDArray[Any]) -> int:
        """Feed the stream; returns how many samples it took, fewer where a window is complete."""
        return self._real.push(samples)

    def ready(self) -> bool:
        """Whether the last `push` has completed a window."""
        return self._real.is_ready

    @property
    def features(self) -> NDArray[np.float32]:
        """The window that `push` completed last; shape `shape`."""
        return self._real.features

    def restart(self) -> None:
        """Forget what was pushed."""
        self._real.restart()

    def __reduce__(self) -> tuple[Any, ...]:
        """Other processes get the spec and compile or find the library themselves."""
        return (_from_json, (canonical_json(self.spec),))

    def _stream(self, value_format: ValueFormat) -> FeatureStream:
        stream = self._quantized.get(value_format)
        if stream is None:
            stream = FeatureStream(plan_features(self.spec, value_format))
            self._quantized[value_format] = stream
        return stream


def _from_json(text: str) -> Features:
    from tinyml_tool.preprocess.spec import features_from_json

    return Features(features_from_json(text, "features"))
