"""Answers in Python: what the firmware will say of a model's scores, by the firmware's own C."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml_tool.errors import InputError
from tinyml_tool.graph.reader import read_model
from tinyml_tool.preprocess.answer_plan import answer_plan
from tinyml_tool.preprocess.answer_spec import AnswerSpec, parse_answer
from tinyml_tool.strict_toml import read_toml
from tinyml_tool.toolchain.answer_binding import AnswerStream


def load_answer(source: str | Path) -> AnswerSpec:
    """The answer spec of a project file.  Raises InputError where it has no table `[answer]`."""
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    table = read_toml(text, str(path)).get("answer")
    if not isinstance(table, dict):
        raise InputError(f"{path}: has no table [answer]")
    return parse_answer(table, f"{path}: [answer]")


def answers_of(model: str | Path, spec: AnswerSpec | Mapping[str, Any]) -> AnswerStream:
    """A stream that takes the stored outputs of `model`, window after window.

    Raises what reading the model and the spec raises, ToolMissingError without a C compiler.
    """
    chosen = parse_answer(spec, "[answer]") if isinstance(spec, Mapping) else spec
    return AnswerStream(answer_plan(chosen, read_model(model)))
