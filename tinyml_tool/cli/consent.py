"""Asks before anything large is downloaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tinyml_tool.environments.catalogue import Environment


def ask(environment: Environment, *, silent: bool) -> bool:
    """Ask in a terminal whether to install; elsewhere there is nobody to ask."""
    if silent or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return typer.confirm(
        f"\n{environment.needed_for} need {', '.join(environment.modules)}: install them into "
        f"{environment.folder} ({environment.disk_gb} GB)?",
        err=True,
    )
