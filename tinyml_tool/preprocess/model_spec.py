"""A spec that a model carries in its metadata, as a line of JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tinyml_tool.errors import ConfigError, InvalidModelError
from tinyml_tool.graph.metadata import read_metadata

S = TypeVar("S")


def spec_of_model(
    data: bytes,
    source: str,
    *,
    metadata: str,
    what: str,
    most: int,
    parse: Callable[[str, str], S],
) -> S | None:
    """What `parse` makes of a model's metadata; None where it has none of that name.

    Raises InvalidModelError where the metadata is no such spec, one of a later version, or longer
    than `most` bytes.
    """
    content = read_metadata(data, metadata, source)
    if content is None:
        return None
    where = f"{source}: metadata {metadata}"
    advice = f"store the {what} again, with this version of tinyml-tool"
    try:
        if len(content) > most:
            raise ConfigError(f"{where}: {len(content):,} bytes are no {what}")
        return parse(content.decode(), where)
    except UnicodeDecodeError:
        raise InvalidModelError(f"{where}: is not text in UTF-8", hint=advice) from None
    except ConfigError as error:
        raise InvalidModelError(
            error.message, hint=error.hint or advice, details=error.details
        ) from None
