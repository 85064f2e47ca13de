"""The answer spec: what the model's outputs mean, window after window."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.strict import Strict
from tinyml_tool.strict_toml import validate

VERSION = 1
"""Of the spec: raised when the same keys would mean other answers."""

Label = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[ -~]+$")]


class AnswerSpec(Strict):
    """`[answer]`: scores of classes, averaged over windows, become at most one detection."""

    labels: Annotated[tuple[Label, ...], Field(strict=False, min_length=2, max_length=1000)]
    """Names of the classes, in the order of the model's outputs."""
    average: Annotated[int, Field(ge=1, le=256)] = 1
    """Newest windows whose scores are averaged; nothing is detected before there are as many."""
    threshold: float = 0.5
    """The least average score of a detection, as a real number."""
    refractory: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Windows after a detection in which there is no other."""
    ignore: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Labels that are never detected, such as silence."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("two labels are the same")
        for name in self.ignore:
            if name not in self.labels:
                near = difflib.get_close_matches(name, self.labels, n=1)
                hint = f", did you mean '{near[0]}'?" if near else ""
                raise ValueError(f"ignore names '{name}', which is no label{hint}")
        return self


def parse_answer(values: Mapping[str, Any], source: str) -> AnswerSpec:
    """The spec that a table `[answer]` of `source` means.

    Raises ConfigError that lists every wrong key and value.
    """
    given = dict(values)
    version = given.pop("version", VERSION)
    if version != VERSION or isinstance(version, bool):
        raise ConfigError(
            f"{source}: version = {version!r} is not known here",
            hint=f"this tool knows version {VERSION}: use a newer tinyml-tool",
        )
    return validate(AnswerSpec, given, source)


def answer_hash(spec: AnswerSpec) -> str:
    """SHA-256 that names the spec, in hexadecimal."""
    text = json.dumps({"version": VERSION, **spec.model_dump(mode="json")}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
