"""A recording of a monitored device: a file that grows by a line of JSON for each event."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tinyml_tool.api.monitor import MonitorEvent
from tinyml_tool.errors import OutputError


@contextmanager
def open_event_log(
    path: Path | None, labels: Sequence[str] = ()
) -> Iterator[Callable[[Sequence[MonitorEvent]], None]]:
    """A function that writes events to the end of `path`, each at once; to nowhere where None.

    An existing recording is kept and goes on.  Raises OutputError where it cannot be written.
    """
    if path is None:
        yield lambda _: None
        return
    with _named(path):
        file = path.open("a", encoding="utf-8", buffering=1)

    def write(events: Sequence[MonitorEvent]) -> None:
        with _named(path):
            for event in events:
                file.write(json.dumps(event.to_json(labels), ensure_ascii=False) + "\n")

    with file:
        yield write


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: the recording cannot be written: {error.strerror}",
            hint="choose a place that is writable and has room",
        ) from None
