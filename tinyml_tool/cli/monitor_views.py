"""How a monitored device is shown: live in a terminal, as plain lines, or as lines of JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from tinyml_tool.devices.inference_line import ReportedInference

if TYPE_CHECKING:
    from rich.console import Console

    from tinyml_tool.api.monitor import Monitor, MonitorEvent

_FRAME_SECONDS = 0.1
_IDLE_FRAME_SECONDS = 0.5
"""Nothing happens, but time goes on."""


class View(Protocol):
    """Somewhere to show events."""

    def tell(self, events: Sequence[MonitorEvent]) -> None:
        """Show what has happened, if anything, and that time goes on."""
        ...


class JsonView:
    """One JSON object a line on standard output, each at once."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def tell(self, events: Sequence[MonitorEvent]) -> None:
        """See View."""
        for event in events:
            line = json.dumps(event.to_json(self._monitor.labels), ensure_ascii=False)
            print(line, flush=True)


class PlainView:
    """One line an event."""

    def __init__(self, monitor: Monitor, console: Console) -> None:
        self._monitor = monitor
        self._console = console

    def tell(self, events: Sequence[MonitorEvent]) -> None:
        """See View."""
        from tinyml_tool.report.monitoring import event_line

        for event in events:
            self._console.print(event_line(event, self._monitor.labels), soft_wrap=True)
        if events:
            self._console.file.flush()


class LiveView:
    """Lines that scroll as in `PlainView`, above a panel that shows the latest inference."""

    def __init__(
        self, monitor: Monitor, console: Console, redraw: Callable[[object], None]
    ) -> None:
        self._monitor = monitor
        self._console = console
        self._redraw = redraw
        self._lines = PlainView(monitor, console)
        self._latest: ReportedInference | None = None
        self._drawn_at = 0.0
        self._changed = False

    def tell(self, events: Sequence[MonitorEvent]) -> None:
        """See View."""
        from tinyml_tool.report.monitoring import panel

        self._lines.tell(events)
        for event in events:
            if isinstance(event.seen, ReportedInference):
                self._latest = event.seen
        self._changed = self._changed or bool(events)
        now = time.monotonic()
        if now - self._drawn_at >= (_FRAME_SECONDS if self._changed else _IDLE_FRAME_SECONDS):
            self._drawn_at, self._changed = now, False
            unicode = self._console.encoding.lower().startswith("utf")
            self._redraw(panel(self._monitor, self._latest, unicode=unicode))


@contextmanager
def open_view(monitor: Monitor, *, json: bool, plain: bool) -> Iterator[View]:
    """The view that suits the options and the terminal; it is tidied up in the end."""
    if json:
        yield JsonView(monitor)
        return
    from rich.console import Console

    console = Console(highlight=False)
    if plain or not console.is_terminal or console.is_dumb_terminal:
        yield PlainView(monitor, console)
        return
    from rich.live import Live

    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield LiveView(monitor, console, lambda part: live.update(part, refresh=True))  # type: ignore[arg-type]
