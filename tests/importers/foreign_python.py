"""Pythons with heavy libraries; tests that need one skip with the reason where it is absent."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tinyml_tool.environments.catalogue import Environment
from tinyml_tool.environments.find import find_environment


def needed(environment: Environment) -> Path:
    """The Python of the environment; skips the test where there is none."""
    found = find_environment(environment)
    if found is None:
        pytest.skip(
            f"no Python with {', '.join(environment.modules)}: set {environment.variable}, or make "
            f"one with `tinyml import --yes` ({environment.disk_gb} GB)"
        )
    return found.python


def run_there(environment: Environment, code: str, folder: Path) -> None:
    """Run Python code in that environment, in `folder`."""
    result = subprocess.run(
        [needed(environment), "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
