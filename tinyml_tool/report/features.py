"""What `features check` has found, as a table."""

from __future__ import annotations

from rich.table import Table

from tinyml_tool.api.features_check import FeatureCheck


def feature_check_table(check: FeatureCheck) -> Table:
    """Verdict, amounts and costs."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    verdict = "the same on host and device, bit for bit" if check.exact else "different"
    table.add_row("verdict", verdict)
    ran_on = "" if check.ran_on == check.board else f", emulated as {check.ran_on}"
    table.add_row("board", check.board + ran_on)
    table.add_row("features", check.features)
    table.add_row(
        "compared",
        f"{check.values_compared:,} values of {check.windows:,} inputs, "
        f"{check.values_different:,} differ",
    )
    if check.first_difference is not None:
        first = check.first_difference
        table.add_row(
            "first",
            f"{first.source}, input {first.window}, value {first.place}: host {first.host:g}, "
            f"device {first.device:g}",
        )
    if check.instructions_per_window is not None:
        table.add_row(
            "instructions",
            f"{check.instructions_per_window:,} for each input of the model, "
            f"{check.instructions_first_window:,} for the first (emulated)",
        )
    table.add_row("RAM", f"{check.ram_bytes:,} bytes")
    table.add_row("tables", f"{check.constant_bytes:,} bytes of flash")
    return table
