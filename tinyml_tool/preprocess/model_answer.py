"""The answer spec that a model carries in its metadata."""

from __future__ import annotations

from tinyml_tool.graph.metadata import with_metadata
from tinyml_tool.preprocess.answer_spec import AnswerSpec, answer_from_json, canonical_answer
from tinyml_tool.preprocess.model_spec import spec_of_model

METADATA_NAME = "TINYML_ANSWER"
"""Name of the metadata in the `.tflite`; its content is `canonical_answer` of the spec."""

MAX_BYTES = 256 * 1024
"""Far more than any spec needs."""


def answer_of_model(data: bytes, source: str) -> AnswerSpec | None:
    """The spec inside a model in memory; None where it has none.

    Raises InvalidModelError where the metadata is not one of ours, or one of a later version.
    """
    return spec_of_model(
        data,
        source,
        metadata=METADATA_NAME,
        what="answer spec",
        most=MAX_BYTES,
        parse=answer_from_json,
    )


def model_with_answer(data: bytes, spec: AnswerSpec, source: str) -> bytes:
    """The model with `spec` in its metadata; all else is byte for byte the same.

    Raises InvalidModelError where the file is damaged.
    """
    return with_metadata(data, METADATA_NAME, canonical_answer(spec).encode(), source)
