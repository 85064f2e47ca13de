"""The graph passes as tables for the terminal: what each did, and to which layers."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tinyml_tool.api.inspect import Inspection
from tinyml_tool.graph.passes.rewrite import Cost, PassRecord


def _change(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} -> {after:,}"


def _what(record: PassRecord) -> Text:
    if not record.enabled:
        return Text("switched off", "yellow")
    count = len(record.changes)
    return Text(f"{count} change{'s' if count != 1 else ''}" if count else "-")


def _costs(before: Cost, after: Cost) -> list[str]:
    return [
        _change(before.layers, after.layers),
        _change(before.channels, after.channels),
        _change(before.macs, after.macs),
        _change(before.weight_bytes, after.weight_bytes),
    ]


def _passes(inspection: Inspection) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("pass", no_wrap=True)
    table.add_column("did", no_wrap=True)
    for column in ("layers", "channels", "MACs", "weights B"):
        table.add_column(column, justify="right")
    for record in inspection.passes:
        costs = _costs(record.before, record.after) if record.changes else ["", "", "", ""]
        table.add_row(record.name, _what(record), *costs)
    return table


def _changes(inspection: Inspection) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("layer", justify="right")
    table.add_column("kind", no_wrap=True)
    table.add_column("pass", no_wrap=True)
    table.add_column("what", overflow="fold")
    rows = [(change, record.name) for record in inspection.passes for change in record.changes]
    for change, name in sorted(rows, key=lambda row: row[0].layer):
        text = f"removed: {change.text}" if change.removed else change.text
        table.add_row(str(change.layer), change.kind, name, text)
    return table


def passes_view(inspection: Inspection) -> Iterator[RenderableType]:
    """A row a pass, then a row a change."""
    yield Text(inspection.name, style="bold")
    if inspection.after_passes is None:
        yield Text("engine tflm interprets the model as it is: no passes run")
        return
    yield _passes(inspection)
    if any(record.changes for record in inspection.passes):
        yield ""
        yield _changes(inspection)
    after = inspection.after_passes
    yield ""
    yield Text(
        f"before: {len(inspection.layers)} layers, {inspection.macs:,} MACs, "
        f"{inspection.weight_bytes:,} bytes of weights"
    )
    yield Text(
        f"after:  {after.layers} layers, {after.macs:,} MACs, "
        f"{after.weight_bytes:,} bytes of weights"
    )
