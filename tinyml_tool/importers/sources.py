"""Which format a model to be imported has, and what it takes to convert it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.environments.catalogue import ONNX, TENSORFLOW, TORCH, Environment
from tinyml_tool.errors import InputError

_SCRIPTS = Path(__file__).parent / "scripts"
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class SourceFormat:
    """A format, the script that converts it, and where that script runs."""

    name: str
    script: Path
    environment: Environment


KERAS = SourceFormat("Keras file", _SCRIPTS / "keras_file.py", TENSORFLOW)
KERAS_QUANTIZE = _SCRIPTS / "keras_quantize.py"
"""Beside the converters, because it loads Keras files as they do."""
SAVED_MODEL = SourceFormat("SavedModel", _SCRIPTS / "saved_model.py", TENSORFLOW)
ONNX_FILE = SourceFormat("ONNX file", _SCRIPTS / "onnx_file.py", ONNX)
TORCH_MODEL = SourceFormat("PyTorch model", _SCRIPTS / "torch_model.py", TORCH)

_BY_SUFFIX = {
    ".keras": KERAS,
    ".h5": KERAS,
    ".hdf5": KERAS,
    ".onnx": ONNX_FILE,
    ".pt2": TORCH_MODEL,
}


def format_of(source: str) -> SourceFormat | None:
    """The format of `source`; None for a `.tflite`, which needs no conversion.

    Raises InputError for what exists in no known format, or not at all.
    """
    path = Path(source)
    if not path.exists() and _FUNCTION.fullmatch(source):
        return TORCH_MODEL
    if not path.exists():
        raise InputError(f"{source}: no such file", hint="check the path")
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            return SAVED_MODEL
        raise InputError(f"{source}: is a folder, but no SavedModel", hint=_KNOWN)
    suffix = path.suffix.lower()
    if suffix == ".tflite":
        return None
    if suffix in (".pt", ".pth"):
        raise InputError(
            f"{source}: holds weights, or a pickle that only its own program can read",
            hint="write the whole model with torch.export.save(torch.export.export(model.eval(), "
            "(example,)), 'model.pt2'), or give MODULE:FUNCTION",
        )
    if suffix not in _BY_SUFFIX:
        raise InputError(f"{source}: '{suffix}' is no known format", hint=_KNOWN)
    return _BY_SUFFIX[suffix]


_KNOWN = (
    "known are .keras, .h5, a SavedModel's folder, .tflite, .onnx, .pt2 (torch.export), and "
    "MODULE:FUNCTION for PyTorch"
)
