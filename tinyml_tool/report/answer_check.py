"""What `answers check` has found, as a table."""

from __future__ import annotations

from rich.table import Table

from tinyml_tool.api.answers_check import AnswerCheck


def answer_check_table(check: AnswerCheck) -> Table:
    """Verdict, amounts and costs."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    verdict = "the same on host and device, bit for bit" if check.exact else "different"
    table.add_row("verdict", verdict)
    ran_on = "" if check.ran_on == check.board else f", emulated as {check.ran_on}"
    table.add_row("board", check.board + ran_on)
    table.add_row("answers", check.answer)
    parity = check.parity
    table.add_row(
        "compared",
        f"{parity.values_compared:,} values of {parity.answers:,} answers, "
        f"{parity.values_different:,} differ",
    )
    if parity.first_difference is not None:
        table.add_row("first", parity.first_difference)
    table.add_row("detections", f"{check.detections:,}")
    if check.instructions_per_window is not None:
        table.add_row("instructions", f"{check.instructions_per_window:,} a window (emulated)")
    table.add_row("RAM", f"{check.ram_bytes:,} bytes")
    return table
