"""How evidence ends a command: the table or JSON, and a mismatch as exit code 7."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyml_tool.cli.output import Outcome
from tinyml_tool.errors import MismatchError

if TYPE_CHECKING:
    from rich.console import Console

    from tinyml_tool.verify.evidence import Evidence


def verdict(name: str, evidence: Evidence) -> Outcome:
    """The outcome of a command that compared a device with the reference."""
    from tinyml_tool.report.evidence import evidence_table
    from tinyml_tool.verify.device_answers import require_equal_answers
    from tinyml_tool.verify.parity import require_agreement

    error = None
    try:
        require_agreement(name, evidence.parity)
        require_equal_answers(name, evidence.answers)
    except MismatchError as mismatch:
        error = mismatch

    def show(console: Console) -> None:
        console.print(evidence_table(evidence))

    return Outcome(evidence.to_json(), show, error=error)
