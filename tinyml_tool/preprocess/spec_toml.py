"""A spec as the table `[features]` of a project file."""

from __future__ import annotations

import json
from typing import Any

from tinyml_tool.preprocess.spec import VERSION, FeatureSpec


def features_toml(spec: FeatureSpec) -> str:
    """The lines of the table, each with a newline; `parse_features` reads the same spec back."""
    values = {"version": VERSION, **spec.model_dump(mode="json", exclude_none=True)}
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    return "\n".join(["[features]", *lines, ""])


def _value(value: Any) -> str:  # noqa: ANN401 - what JSON can hold
    """A value in one line: JSON and TOML write all but tables the same way."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {_value(item)}" for key, item in value.items())
        return "{ " + inside + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)
