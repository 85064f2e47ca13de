"""Writing one result file: all of it or nothing, and never over another one unasked."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tinyml_tool.errors import OutputError


def check_output_file(path: Path, *, force: bool) -> None:
    """Raise OutputError where `path` cannot become a new file; to be asked before long work."""
    if path.is_dir():
        raise OutputError(f"{path}: is a folder", hint="name a file to write")
    if path.exists() and not force:
        raise OutputError(
            f"{path}: exists already", hint="choose another name, or replace it with --force"
        )
    parent = path.parent
    existing = next((folder for folder in (parent, *parent.parents) if folder.exists()), parent)
    if not existing.is_dir():
        raise OutputError(f"{path}: {existing} is no folder", hint="choose another place")
    if not os.access(existing, os.W_OK):
        raise OutputError(f"{path}: {existing} may not be written to", hint="choose another place")


def write_output_file(path: Path, content: bytes, *, force: bool = False) -> None:
    """Make `path` hold `content`, or leave everything as it was and raise OutputError."""
    check_output_file(path, force=force)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}",
            hint="choose another place, or free some space",
        ) from None
