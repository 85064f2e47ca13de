"""A `.tflite` that is written anew with a spec inside."""

from __future__ import annotations

import secrets
from pathlib import Path

from tinyml_tool.errors import OutputError


def replace_model(target: Path, content: bytes) -> Path:
    """Make `target` hold `content`, at once; returns it.  Raises OutputError."""
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from None
    return target
