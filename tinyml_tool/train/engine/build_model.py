"""The model of a job: made anew from its architecture, or read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from tinyml_tool.train.engine.architectures import BUILDERS
from tinyml_tool.train.engine.messages import EngineError


def build_model(spec: Mapping[str, Any], shape: tuple[int, ...], classes: int) -> keras.Model:
    """The float model for samples of `shape`; `spec` is `model` of a job.

    Raises EngineError where the architecture does not work on such samples, or the file is none.
    """
    if "file" in spec:
        return read_model(spec["file"])
    arch = spec["architecture"]
    try:
        return BUILDERS[arch["name"]](shape, classes, arch)
    except ValueError as error:
        text = "x".join(map(str, shape))
        reason = str(error).splitlines()[0]
        raise EngineError(
            "input",
            f"architecture {arch['name']} cannot be built for samples of {text}: {reason}",
            "take less depth or a smaller kernel, or another architecture",
        ) from error


def read_model(path: str) -> keras.Model:
    """The model in a `.keras` file.  Raises EngineError."""
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EngineError(
            "input", f"{path}: is no Keras model that can be read: {reason}"
        ) from error
