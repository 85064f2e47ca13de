"""`tinyml doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.options import Json
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console


def _act(progress: Progress) -> Outcome:
    from tinyml_tool.errors import ToolMissingError
    from tinyml_tool.report.doctor import findings_json, findings_table
    from tinyml_tool.toolchain.doctor import diagnose

    progress("looking at the tools")
    findings = diagnose()
    missing = [finding for finding in findings if finding.required and not finding.ok]

    def show(console: Console) -> None:
        console.print(findings_table(findings))

    error = None
    if missing:
        error = ToolMissingError(
            f"{len(missing)} of {len(findings)} tools are missing or unusable: "
            + ", ".join(finding.name for finding in missing),
            hint=missing[0].remedy,
            details=[f"{finding.name}: {finding.remedy}" for finding in missing if finding.remedy],
        )
    return Outcome(findings_json(findings), show, error=error)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("doctor")
    def doctor_command(json: Json = False) -> None:
        """Check compilers, emulators and build tools; tell the command that mends each.

        Examples: `tinyml doctor` · `tinyml doctor --json`
        """
        run_command("doctor", _act, json=json)
