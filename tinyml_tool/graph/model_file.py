"""Brings the bytes of a model file into memory, or says why not."""

from __future__ import annotations

import difflib
import stat
from pathlib import Path

from tinyml_tool.errors import InputError, InvalidModelError

MAX_FILE_BYTES = 256 << 20
"""Hundreds of times what a microcontroller can hold."""


def read_file(path: Path) -> bytes:
    """The content of the file. Raises InputError, or InvalidModelError for an absurd size."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _folder(path)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: not a regular file", hint="give a .tflite file")
        if status.st_size > MAX_FILE_BYTES:
            raise InvalidModelError(
                f"{path}: {status.st_size} bytes are too many for a model of a microcontroller "
                f"(at most {MAX_FILE_BYTES})",
                hint="give the .tflite of a small network",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", hint=_neighbours(path)) from None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror}",
            hint="check the path and its permissions",
        ) from None
    except ValueError as error:
        # An embedded NUL; the path is not fit to be printed as it is.
        raise InputError(
            f"{str(path)!r}: not a path: {error}", hint="give a .tflite file"
        ) from None


def _folder(path: Path) -> InputError:
    if (path / "saved_model.pb").exists():
        return InputError(
            f"{path}: is a folder, a TensorFlow SavedModel",
            hint="convert it to an int8 .tflite first "
            "(tf.lite.TFLiteConverter.from_saved_model, full-integer quantization)",
        )
    inside = _models_in(path)
    return InputError(
        f"{path}: is a folder",
        hint="give a .tflite file" + (f", such as {path / inside[0]}" if inside else ""),
    )


def _neighbours(path: Path) -> str:
    """Advice from what lies beside the missing file."""
    models = _models_in(path.parent)
    near = difflib.get_close_matches(path.name, models, n=1) or models[:3]
    if not near:
        return "check the path"
    return "did you mean " + " or ".join(str(path.with_name(name)) for name in near) + "?"


def _models_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.suffix == ".tflite")
    except OSError:
        return []
