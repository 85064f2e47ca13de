"""Specs as the tables `[features]`, `[answer]` and `[source]` of a project file."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from tinyml_tool.preprocess.answer_spec import VERSION as ANSWER_VERSION
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.preprocess.source_spec import SourceSpec
from tinyml_tool.preprocess.spec import VERSION, FeatureSpec
from tinyml_tool.strict_toml import toml_key


def features_toml(spec: FeatureSpec) -> str:
    """The lines of the table, each with a newline; `parse_features` reads the same spec back."""
    return _table("features", {"version": VERSION, **_values(spec)})


def answer_toml(spec: AnswerSpec) -> str:
    """The same for `[answer]`, which `parse_answer` reads back."""
    return _table("answer", {"version": ANSWER_VERSION, **_values(spec)})


def source_toml(spec: SourceSpec) -> str:
    """The same for `[source]`, which `parse_source` reads back."""
    return _table("source", _values(spec))


def _values(spec: BaseModel) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_none=True)


def _table(name: str, values: dict[str, Any]) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def _value(value: Any) -> str:  # noqa: ANN401 - what JSON can hold
    """A value in one line: JSON and TOML write all but tables the same way."""
    if isinstance(value, dict):
        inside = ", ".join(f"{toml_key(key)} = {_value(item)}" for key, item in value.items())
        return "{ " + inside + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)
