"""Where the models and samples shared by the tests are; tests skip where they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent


def shared_folder() -> Path | None:
    """The folder named by TINYML_SHARED, else `shared` beside the repository; None if absent."""
    place = os.environ.get("TINYML_SHARED")
    folder = Path(place) if place else _REPOSITORY.parent / "shared"
    return folder if folder.is_dir() else None


def shared_model(name: str) -> Path:
    """The model file `name`, such as kws_ref_model.tflite. Skips the test where it is absent."""
    return _shared_file("models", name)


def shared_sample(name: str) -> Path:
    """The sample file `name`, such as yes_1000ms.wav. Skips the test where it is absent."""
    return _shared_file("samples", name)


def _shared_file(kind: str, name: str) -> Path:
    folder = shared_folder()
    if folder is None:
        pytest.skip(
            "no folder of shared models and samples: set TINYML_SHARED, "
            "or put it at ../shared beside the repository"
        )
    path = folder / kind / name
    if not path.is_file():
        pytest.skip(f"the shared folder has no {kind}/{name}")
    return path
