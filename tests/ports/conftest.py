"""A list of running emulators that belongs to the test alone."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the running emulators of the test are listed."""
    folder = tmp_path / "run"
    monkeypatch.setenv("TINYML_RUNTIME_DIR", str(folder))
    return folder
