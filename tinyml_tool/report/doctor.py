"""The doctor's findings as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from tinyml_tool.toolchain.doctor import Finding


def findings_table(findings: Sequence[Finding]) -> Table:
    """One row a tool; what is missing comes with its remedy."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "tool", "version", "needed for", "what to do"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        table.add_row(
            _mark(finding),
            finding.name,
            finding.version or "-",
            Text(finding.needed_for),
            Text("" if finding.ok else finding.remedy or ""),
        )
    return table


def _mark(finding: Finding) -> Text:
    if finding.ok:
        return Text("ok", "green")
    return Text("missing", "bold red") if finding.required else Text("absent", "yellow")


def findings_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The value of `result` with `--json`."""
    return [
        {
            "name": finding.name,
            "ok": finding.ok,
            "required": finding.required,
            "needed_for": finding.needed_for,
            "version": finding.version,
            "path": str(finding.path) if finding.path else None,
            "remedy": finding.remedy,
            "details": list(finding.details),
        }
        for finding in findings
    ]
