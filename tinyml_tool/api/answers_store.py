"""`answers store`: put an answer spec into a model, so that the two stay together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml_tool.api.model_update import replace_model
from tinyml_tool.graph.model_file import read_file
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.preprocess.answer_plan import answer_plan
from tinyml_tool.preprocess.answer_spec import AnswerSpec, parse_answer
from tinyml_tool.preprocess.model_answer import model_with_answer


def store_answer(
    model: str | Path, spec: AnswerSpec | Mapping[str, Any], output: str | Path | None = None
) -> Path:
    """Write the spec, or table `[answer]`, into the metadata of a `.tflite`; returns its path.

    Everything else in the file stays byte for byte the same.  Without `output` the file itself is
    replaced, at once.  Raises InvalidModelError, InputError where the spec does not suit the
    model's outputs, ConfigError for a wrong table, OutputError where the place cannot be written.
    """
    source = Path(model)
    chosen = parse_answer(spec, "[answer]") if isinstance(spec, Mapping) else spec
    data = read_file(source)
    answer_plan(chosen, parse_model(data, source.stem))
    content = model_with_answer(data, chosen, str(source))
    return replace_model(Path(output) if output is not None else source, content)
