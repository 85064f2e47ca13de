"""The feature spec that a model carries in its metadata."""

from __future__ import annotations

from tinyml_tool.graph.metadata import with_metadata
from tinyml_tool.preprocess.model_spec import spec_of_model
from tinyml_tool.preprocess.spec import FeatureSpec, canonical_json, features_from_json

METADATA_NAME = "TINYML_FEATURES"
"""Name of the metadata in the `.tflite`; its content is `canonical_json` of the spec."""

MAX_BYTES = 64 * 1024
"""Far more than any spec needs."""


def features_of_model(data: bytes, source: str) -> FeatureSpec | None:
    """The spec inside a model in memory; None where it has none.

    Raises InvalidModelError where the metadata is not one of ours, or one of a later version.
    """
    return spec_of_model(
        data,
        source,
        metadata=METADATA_NAME,
        what="feature spec",
        most=MAX_BYTES,
        parse=features_from_json,
    )


def model_with_features(data: bytes, spec: FeatureSpec, source: str) -> bytes:
    """The model with `spec` in its metadata; all else is byte for byte the same.

    Raises InvalidModelError where the file is damaged.
    """
    return with_metadata(data, METADATA_NAME, canonical_json(spec).encode(), source)
