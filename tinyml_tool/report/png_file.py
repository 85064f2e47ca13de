"""Pictures as PNG files: complete, or not there."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tinyml_tool.errors import OutputError, ToolMissingError

if TYPE_CHECKING:
    from PIL.Image import Image


def pillow() -> ModuleType:
    """The library that draws.  Raises ToolMissingError where it is absent."""
    try:
        from PIL import Image
    except ImportError:
        raise ToolMissingError(
            "drawing needs the Python package 'pillow'",
            hint="install it: python -m pip install 'tinyml-tool[images]'",
        ) from None
    return Image


def write_png(picture: Image, path: Path) -> None:
    """Write the picture.  Raises OutputError where it cannot be written."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        picture.save(unfinished, format="PNG")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        cause = error.strerror or os.strerror(error.errno or 0)
        raise OutputError(f"{path}: cannot be written: {cause}", hint="name another file") from None
