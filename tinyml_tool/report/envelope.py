"""The one JSON object that a command prints with `--json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tinyml_tool.errors import TinymlError

SCHEMA_VERSION = 1


def error_object(error: TinymlError) -> dict[str, Any]:
    """`error` of the envelope: code, message, hint, details."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "details": list(error.details),
    }


def envelope(
    command: str,
    *,
    result: Mapping[str, Any] | Sequence[Any] | None = None,
    warnings: Sequence[str] = (),
    error: TinymlError | None = None,
) -> str:
    """The envelope as one line of JSON; `ok` is false exactly when there is an `error`."""
    return json.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "command": command,
            "ok": error is None,
            "result": result,
            "warnings": list(warnings),
            "error": None if error is None else error_object(error),
        },
        allow_nan=False,
        ensure_ascii=False,
    )
