"""`features show`: what a preprocessing makes of a file of samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.features import Features
from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.planning import plan_features
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.verify.made_samples import samples_for
from tinyml_tool.verify.raw_samples import read_samples


@dataclass(frozen=True, eq=False)
class FeatureView:
    """A file's samples and the features of one window of them."""

    source: str
    spec: FeatureSpec
    about: str
    samples: NDArray[Any]
    """All of the file, in one row."""
    windows: int
    """Complete in the file."""
    window: int
    """The one that is shown."""
    features: NDArray[np.float32]

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "source": self.source,
            "features": self.about,
            "samples": int(self.samples.size),
            "windows": self.windows,
            "window": self.window,
            "shape": list(self.features.shape),
            "values": [float(value) for value in self.features.reshape(-1)],
        }


def show_features(file: str | Path, spec: FeatureSpec, *, window: int = 0) -> FeatureView:
    """The features of window number `window` in a file of raw samples.

    Raises InputError for a file that does not fit the spec, or has no such window.
    """
    samples = read_samples(file, spec)
    windows = Features(spec).extract(samples)
    if not 0 <= window < len(windows):
        raise InputError(
            f"{file}: has {len(windows)} complete windows, no number {window}",
            hint=f"a window takes {samples_for(spec, 1):,} samples, the file has {samples.size:,}",
        )
    return FeatureView(
        source=str(file),
        spec=spec,
        about=plan_features(spec).comment,
        samples=samples,
        windows=len(windows),
        window=window,
        features=windows[window],
    )
