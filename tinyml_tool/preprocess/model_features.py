"""The feature spec that a model carries in its metadata."""

from __future__ import annotations

from tinyml_tool.errors import ConfigError, InvalidModelError
from tinyml_tool.graph.metadata import read_metadata, with_metadata
from tinyml_tool.preprocess.spec import FeatureSpec, canonical_json, features_from_json

METADATA_NAME = "TINYML_FEATURES"
"""Name of the metadata in the `.tflite`; its content is `canonical_json` of the spec."""

MAX_BYTES = 64 * 1024
"""Far more than any spec needs."""


def features_of_model(data: bytes, source: str) -> FeatureSpec | None:
    """The spec inside a model in memory; None where it has none.

    Raises InvalidModelError where the metadata is not one of ours, or one of a later version.
    """
    content = read_metadata(data, METADATA_NAME, source)
    if content is None:
        return None
    where = f"{source}: metadata {METADATA_NAME}"
    try:
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{where}: {len(content):,} bytes are no feature spec")
        return features_from_json(content.decode(), where)
    except UnicodeDecodeError:
        raise InvalidModelError(f"{where}: is not text in UTF-8", hint=_ADVICE) from None
    except ConfigError as error:
        raise InvalidModelError(
            error.message, hint=error.hint or _ADVICE, details=error.details
        ) from None


_ADVICE = "store the feature spec again, with this version of tinyml-tool"


def model_with_features(data: bytes, spec: FeatureSpec, source: str) -> bytes:
    """The model with `spec` in its metadata; all else is byte for byte the same.

    Raises InvalidModelError where the file is damaged.
    """
    return with_metadata(data, METADATA_NAME, canonical_json(spec).encode(), source)
