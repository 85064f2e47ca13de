"""The answer spec: what the model's outputs mean, window after window."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.strict import Strict
from tinyml_tool.strict_toml import validate

VERSION = 1
"""Of the spec: raised when the same keys would mean other answers."""

Label = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[ -~]+$")]
Windows = Annotated[int, Field(ge=1, le=256)]
Pause = Annotated[int, Field(ge=0, le=1_000_000)]


class ClassesSpec(Strict):
    """`[answer]` of a classifier: scores, averaged over windows, become at most one detection."""

    kind: Literal["classes"] = "classes"
    labels: Annotated[tuple[Label, ...], Field(strict=False, min_length=2, max_length=1000)]
    """Names of the classes, in the order of the model's outputs."""
    average: Windows = 1
    """Newest windows whose scores are averaged; nothing is detected before there are as many."""
    threshold: float = 0.5
    """The least average score of a detection, as a real number."""
    thresholds: dict[str, float] = Field(default_factory=dict)
    """Thresholds of their own, by label."""
    refractory: Pause = 0
    """Windows after a detection in which there is no other."""
    ignore: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Labels that are never detected, such as silence."""
    top: Annotated[int, Field(ge=1, le=16)] = 3
    """How many of the best classes are told, at most as many as there are."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("two labels are the same")
        for key, names in (("ignore", self.ignore), ("thresholds", self.thresholds)):
            for name in names:
                if name not in self.labels:
                    near = difflib.get_close_matches(name, self.labels, n=1)
                    hint = f", did you mean '{near[0]}'?" if near else ""
                    raise ValueError(f"{key} names '{name}', which is no label{hint}")
        return self

    @property
    def least(self) -> tuple[float, ...]:
        """The threshold of each class."""
        return tuple(self.thresholds.get(label, self.threshold) for label in self.labels)


class AnomalySpec(Strict):
    """`[answer]` of an autoencoder: how badly it gives its input back, and when that is too bad."""

    kind: Literal["anomaly"]
    threshold: Annotated[float, Field(ge=0)]
    """The mean squared error above which a window is an anomaly, in real numbers."""
    labels: Annotated[tuple[Label, ...], Field(strict=False, min_length=2, max_length=2)] = (
        "normal",
        "anomaly",
    )
    """What the two are called."""
    average: Windows = 1
    """Newest windows whose errors are averaged; nothing is detected before there are as many."""
    refractory: Pause = 0
    """Windows after a detection in which there is no other."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("two labels are the same")
        return self


AnswerSpec: TypeAlias = ClassesSpec | AnomalySpec

KINDS: dict[str, type[AnswerSpec]] = {"classes": ClassesSpec, "anomaly": AnomalySpec}


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
    kind = given.get("kind", "classes")
    if not isinstance(kind, str) or kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        raise ConfigError(
            f"{source}: unknown kind {kind!r}" + (f", did you mean '{near[0]}'?" if near else ""),
            hint=f"one of: {', '.join(KINDS)}",
        )
    return validate(KINDS[kind], given, source)


def canonical_answer(spec: AnswerSpec) -> str:
    """The spec as one line of JSON with every value told: equal specs give equal text."""
    values = {"version": VERSION, **spec.model_dump(mode="json")}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def answer_hash(spec: AnswerSpec) -> str:
    """SHA-256 of `canonical_answer`, in hexadecimal."""
    return hashlib.sha256(canonical_answer(spec).encode()).hexdigest()


def answer_from_json(text: str, source: str) -> AnswerSpec:
    """The spec that `canonical_answer` has written.  Raises ConfigError for any other text."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(f"{source}: is not JSON") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: is not a JSON object")
    return parse_answer(values, source)
