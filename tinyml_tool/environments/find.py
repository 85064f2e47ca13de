"""Finds a Python that has an environment's libraries."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.environments.catalogue import Environment
from tinyml_tool.errors import ToolMissingError

COMPLETE = "complete"
"""A file in a made environment's folder, which is written last."""


@dataclass(frozen=True)
class FoundPython:
    """A Python that can import what is needed, and why it was taken."""

    python: Path
    origin: str


def find_environment(environment: Environment) -> FoundPython | None:
    """The Python that the user names, else this one, else the one that was made for it.

    None where there is none.  Raises ToolMissingError for a named one that does not exist.
    """
    named = os.environ.get(environment.variable)
    if named:
        python = Path(named)
        if not (python.is_file() and os.access(python, os.X_OK)):
            raise ToolMissingError(
                f"{environment.variable}={named}: is no program",
                hint=f"let it name a Python that has {', '.join(environment.modules)}",
            )
        return FoundPython(python, f"named by {environment.variable}")
    if all(importlib.util.find_spec(module) is not None for module in environment.modules):
        return FoundPython(Path(sys.executable), "installed beside tinyml")
    made = environment.folder
    if (made / COMPLETE).is_file():
        return FoundPython(made / "bin" / "python", f"made in {made}")
    return None
