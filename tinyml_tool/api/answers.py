"""Answers in Python: what the firmware will say of a model's scores, by the firmware's own C."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml_tool.errors import InputError
from tinyml_tool.graph.model_file import read_file
from tinyml_tool.graph.reader import read_model
from tinyml_tool.preprocess.answer_plan import answer_plan
from tinyml_tool.preprocess.answer_spec import AnswerSpec, parse_answer
from tinyml_tool.preprocess.model_answer import answer_of_model
from tinyml_tool.strict_toml import read_toml
from tinyml_tool.toolchain.answer_binding import AnswerStream


def load_answer(source: str | Path | Mapping[str, Any]) -> AnswerSpec:
    """The answer spec of a project file (`[answer]` in a `.toml`), or of a model that carries one.

    A mapping is such a table itself.  Raises InputError where there is none, ConfigError that lists
    every wrong key and value.
    """
    if isinstance(source, Mapping):
        return parse_answer(source, "[answer]")
    path = Path(source)
    if path.suffix == ".tflite":
        return _from_model(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    table = read_toml(text, str(path)).get("answer")
    if not isinstance(table, dict):
        raise InputError(f"{path}: has no table [answer]")
    return parse_answer(table, f"{path}: [answer]")


def _from_model(path: Path) -> AnswerSpec:
    spec = answer_of_model(read_file(path), str(path))
    if spec is None:
        raise InputError(
            f"{path}: the model does not tell what its outputs mean",
            hint="put that into a table [answer] of tinyml.toml",
        )
    return spec


def answers_of(
    model: str | Path, spec: AnswerSpec | Mapping[str, Any] | None = None
) -> AnswerStream:
    """A stream that takes the stored outputs of `model`, window after window.

    Without `spec`, the model tells it.  Raises what reading the model and the spec raises,
    ToolMissingError without a C compiler.
    """
    chosen = load_answer(model) if spec is None else spec
    parsed = parse_answer(chosen, "[answer]") if isinstance(chosen, Mapping) else chosen
    return AnswerStream(answer_plan(parsed, read_model(model)))
