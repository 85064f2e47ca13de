"""`tinyml ports`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.options import Json
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console


def _act(_: Progress) -> Outcome:
    from tinyml_tool.api.ports import ports
    from tinyml_tool.report.ports import ports_view

    found = ports()

    def show(console: Console) -> None:
        for part in ports_view(found):
            console.print(part)

    return Outcome(found.to_json(), show)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("ports")
    def ports_command(json: Json = False) -> None:
        """List serial ports, the boards they probably are, who uses them, and running emulators.

        Examples: `tinyml ports` · `tinyml ports --json`
        """
        run_command("ports", _act, json=json, quiet=True)
