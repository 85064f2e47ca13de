"""Which features a model takes: told by its own metadata, by a project file, or by both alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.model_features import features_of_model
from tinyml_tool.preprocess.spec import FeatureSpec, features_hash, parse_features


def chosen_features(
    model: bytes, name: str, table: Mapping[str, Any] | FeatureSpec | None
) -> FeatureSpec | None:
    """The spec of a model in memory; None where neither it nor `table` tells one.

    Raises ConfigError where they tell different ones, InvalidModelError where the model's is no
    spec of ours.
    """
    inside = features_of_model(model, name)
    if table is None:
        return inside
    given = parse_features(table, "[features]") if isinstance(table, Mapping) else table
    if inside is not None and inside != given:
        raise ConfigError(
            f"{name}: was trained on other features ({features_hash(inside)[:16]}) than [features] "
            f"tells ({features_hash(given)[:16]})",
            hint="leave [features] out: the model brings its own",
            details=differences(inside, given, "[features]"),
        )
    return given


def differences(inside: BaseModel, given: BaseModel, name: str) -> list[str]:
    """What two specs tell differently, the model's and that of the table `name`."""
    model, table = inside.model_dump(mode="json"), given.model_dump(mode="json")
    return [
        f"{key}: {model.get(key)} in the model, {table.get(key)} in {name}"
        for key in sorted({*model, *table})
        if model.get(key) != table.get(key)
    ]
