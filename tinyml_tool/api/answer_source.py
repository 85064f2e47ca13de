"""What a model's outputs mean: told by its own metadata, by a project file, or by both alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_tool.api.feature_source import differences
from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.answer_spec import AnswerSpec, answer_hash, parse_answer
from tinyml_tool.preprocess.model_answer import answer_of_model


def chosen_answer(
    model: bytes, name: str, table: Mapping[str, Any] | AnswerSpec | None
) -> AnswerSpec | None:
    """The spec of a model in memory; None where neither it nor `table` tells one.

    Raises ConfigError where they tell different ones, InvalidModelError where the model's is no
    spec of ours.
    """
    inside = answer_of_model(model, name)
    if table is None:
        return inside
    given = parse_answer(table, "[answer]") if isinstance(table, Mapping) else table
    if inside is not None and inside != given:
        raise ConfigError(
            f"{name}: carries another answer spec ({answer_hash(inside)[:16]}) than [answer] "
            f"tells ({answer_hash(given)[:16]})",
            hint="leave [answer] out: the model brings its own; or put the new one into the model "
            "with `tinyml answers store`",
            details=differences(inside, given, "[answer]"),
        )
    return given
