"""What runs after `flash`, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tinyml_tool.api.flash import Flashed
from tinyml_tool.api.time_left import duration_text


def flashed_view(flashed: Flashed) -> Iterator[RenderableType]:
    """What answered, where, and the next commands."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("board", flashed.board)
    table.add_row("port", Text(flashed.url))
    model = Text(f"{flashed.model_name}, SHA-256 {flashed.model_hash[:16]}...")
    table.add_row("model", model)
    table.add_row("build", f"{flashed.build_id}: the one of this project")
    if flashed.emulator is None:
        table.add_row("reset", flashed.reset_reason)
    yield table
    yield Text(f"next: tinyml monitor {flashed.port}")
    yield Text(f"      tinyml validate {flashed.project} --port {flashed.port}")
    if flashed.emulator is not None:
        left = duration_text(flashed.emulator.ends - flashed.emulator.started)
        yield Text(f"the emulator ends in {left}, or with: tinyml flash --stop {flashed.board}")
