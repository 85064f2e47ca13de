"""Names of a model's classes, from a text file."""

from __future__ import annotations

from pathlib import Path

from tinyml_tool.errors import InputError


def read_labels(path: Path) -> tuple[str, ...]:
    """One name a line, in the order of the model's outputs.  Raises InputError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text file in UTF-8") from None
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not names or not all(names):
        raise InputError(
            f"{path}: line {names.index('') + 1 if names else 1} is empty",
            hint="write the name of a class into each line, in the order of the model's outputs",
        )
    if bad := next((name for name in names if not name.isprintable()), None):
        raise InputError(f"{path}: {bad!r} holds characters that cannot be shown")
    return names
