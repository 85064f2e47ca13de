"""A compression as a table for the terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tinyml_tool.api.compression import Compressed, Row

_COLUMNS = ("model", "", "parameters", ".tflite", "flash", "RAM", "instructions")


def compression_table(compressed: Compressed) -> Table:
    """A row a model; the last one is the result."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(_heading(compressed.measure)):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    for number, row in enumerate(compressed.rows):
        last = number == len(compressed.rows) - 1
        table.add_row(*cells(row), style="bold" if last else None)
    return table


def compression_notes(compressed: Compressed) -> list[str]:
    """What the numbers are."""
    cost = compressed.result.cost
    stand_in = f" (by {cost.board})" if cost and cost.board != compressed.board else ""
    notes = [
        f"{compressed.measure} on {compressed.result.samples:,} test samples, in the reference; "
        f"flash, RAM: a program that runs the model once, built for {compressed.board}{stand_in}; "
        "instructions: one inference (emulated)"
    ]
    notes += [f"{row.name}: {row.why_not}" for row in compressed.rows if row.why_not]
    inexact = [row.name for row in compressed.rows if row.cost and not row.cost.exact]
    notes += [f"{name}: the device's answers differ from the reference's" for name in inexact]
    if compressed.method == "cluster":
        notes.append(
            "clustering does not shrink flash: weights stay one byte each; it helps only where "
            "the image is compressed, for updates over the air"
        )
    return notes


def markdown_table(measure: str, rows: Sequence[Row]) -> str:
    """The same as Markdown."""
    heading = _heading(measure)
    lines = [
        "| " + " | ".join(heading) + " |",
        "|" + "|".join(["---", *["---:"] * (len(heading) - 1)]) + "|",
    ]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    return "\n".join(lines)


def cells(row: Row) -> tuple[str, ...]:
    """A row's texts."""
    cost = row.cost
    return (
        row.name,
        "-" if row.quality is None else f"{row.quality:.3f}",
        _number(row.parameters),
        _number(row.model_bytes),
        _number(cost.flash_bytes if cost else None),
        _number(cost.ram_bytes if cost else None),
        _number(cost.instructions if cost else None),
    )


def _heading(measure: str) -> tuple[str, ...]:
    return tuple(name or measure for name in _COLUMNS)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
