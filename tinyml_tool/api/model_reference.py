"""The reference of a model, where it is installed."""

from __future__ import annotations

from tinyml_tool.api.model_source import ModelSource
from tinyml_tool.errors import ToolMissingError
from tinyml_tool.reference.tflm import TflmReference


def open_reference(source: ModelSource) -> TflmReference | None:
    """The reference of a model, or None where it is not installed."""
    try:
        return TflmReference(source.data, source.graph.name)
    except ToolMissingError:
        return None
