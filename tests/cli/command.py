"""Runs the command `tinyml` as a user does: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Finished:
    """How the command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        value = json.loads(self.stdout)
        assert set(value) == {"schema_version", "command", "ok", "result", "warnings", "error"}
        assert value["ok"] == (value["error"] is None)
        assert isinstance(value, dict)
        return value

    @property
    def error(self) -> dict[str, Any]:
        """The envelope's error."""
        error = self.envelope["error"]
        assert set(error) == {"code", "message", "hint", "details"}
        assert isinstance(error, dict)
        return error


def tinyml(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 120,
) -> Finished:
    """Run `tinyml` with `arguments`; a traceback on stderr fails the test."""
    result = subprocess.run(
        [sys.executable, "-m", "tinyml_tool", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **(env or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert "Traceback" not in result.stderr, result.stderr
    return Finished(result.returncode, result.stdout, result.stderr)
