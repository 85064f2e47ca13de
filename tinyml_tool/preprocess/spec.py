"""The feature spec: how raw samples become a model's input, read strictly, named by a hash."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.audio_spec import AudioSpec
from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.preprocess.micro_audio_spec import MicroAudioSpec
from tinyml_tool.preprocess.presets import PRESETS
from tinyml_tool.preprocess.series_spec import SeriesSpec
from tinyml_tool.strict_toml import validate

VERSION = 1
"""Of the spec: raised when the same keys would mean other features."""

FeatureSpec: TypeAlias = AudioSpec | MicroAudioSpec | ImageSpec | SeriesSpec

KINDS: dict[str, type[FeatureSpec]] = {
    "audio": AudioSpec,
    "micro_audio": MicroAudioSpec,
    "image": ImageSpec,
    "series": SeriesSpec,
}


def parse_features(values: Mapping[str, Any], source: str) -> FeatureSpec:
    """The spec that a table `[features]` of `source` means, its preset filled in.

    Raises ConfigError that lists every wrong key and value.
    """
    given = dict(values)
    version = given.pop("version", VERSION)
    if version != VERSION or isinstance(version, bool):
        raise ConfigError(
            f"{source}: version = {version!r} is not known here",
            hint=f"this tool knows version {VERSION}: use a newer tinyml-tool",
        )
    preset = given.pop("preset", None)
    if preset is not None:
        given = {**_chosen(PRESETS, "preset", preset, source), **given}
    if "kind" not in given:
        raise ConfigError(f"{source}: 'kind' is missing", hint=f"one of: {', '.join(KINDS)}")
    kind: type[FeatureSpec] = _chosen(KINDS, "kind", given["kind"], source)
    return validate(kind, given, source)


def _chosen(table: Mapping[str, Any], key: str, name: object, source: str) -> Any:  # noqa: ANN401
    if isinstance(name, str) and name in table:
        return table[name]
    near = difflib.get_close_matches(str(name), table, n=1)
    raise ConfigError(
        f"{source}: unknown {key} {name!r}" + (f", did you mean '{near[0]}'?" if near else ""),
        hint=f"one of: {', '.join(table)}",
    )


def samples_of_window(spec: FeatureSpec) -> int:
    """The least number of raw values that make one input of a model."""
    enough = 1
    while not spec.windows_in(enough):
        enough *= 2
    low = enough // 2
    while enough - low > 1:
        middle = (low + enough) // 2
        low, enough = (low, middle) if spec.windows_in(middle) else (middle, enough)
    return enough


def canonical_json(spec: FeatureSpec) -> str:
    """The spec as one line of JSON with every value told: equal specs give equal text."""
    values = {"version": VERSION, **spec.model_dump(mode="json")}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def features_hash(spec: FeatureSpec) -> str:
    """SHA-256 of `canonical_json`, in hexadecimal."""
    return hashlib.sha256(canonical_json(spec).encode()).hexdigest()


def features_from_json(text: str, source: str) -> FeatureSpec:
    """The spec that `canonical_json` has written.  Raises ConfigError for any other text."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(f"{source}: is not JSON") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: is not a JSON object")
    return parse_features(values, source)
