"""`features store`: put a feature spec into a model, so that the two stay together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml_tool.api.model_update import replace_model
from tinyml_tool.graph.model_file import read_file
from tinyml_tool.preprocess.model_plan import carrying
from tinyml_tool.preprocess.spec import FeatureSpec, parse_features


def store_features(
    model: str | Path, spec: FeatureSpec | Mapping[str, Any], output: str | Path | None = None
) -> Path:
    """Write the spec, or table `[features]`, into the metadata of a `.tflite`; returns its path.

    Everything else in the file stays byte for byte the same.  Without `output` the file itself is
    replaced, at once.  Raises InvalidModelError, InputError where the features do not fit the
    model's input, ConfigError for a wrong table, OutputError where the place cannot be written.
    """
    source = Path(model)
    chosen = parse_features(spec, "[features]") if isinstance(spec, Mapping) else spec
    content = carrying(read_file(source), chosen, source.stem)
    return replace_model(Path(output) if output is not None else source, content)
