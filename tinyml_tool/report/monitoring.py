"""A monitored device for the terminal: a line for each event, and the panel below them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tinyml_tool.api.monitor import Monitor, MonitorEvent, MonitorStatistics, label_of
from tinyml_tool.api.time_left import duration_text
from tinyml_tool.devices.inference_line import (
    DamagedInference,
    ReportedAnswer,
    ReportedInference,
    ReportedOutput,
    ReportedValue,
)
from tinyml_tool.devices.port_watch import Faulted, Line, Lost, Opened

KEYS = "q quit   r run once   i info   h help"

_SHOWN_IN_LINE = 3
_SHOWN_IN_PANEL = 5
_NAME_WIDTH = 24
_BAR_WIDTH = 30
_BAR_WIDTH_LEAST = 4
_BETWEEN_COLUMNS = 4


def event_line(event: MonitorEvent, labels: Sequence[str]) -> Text:
    """One event as one line; the facts of a fault follow on lines of their own."""
    clock = Text(event.time.strftime("%H:%M:%S.%f")[:-3], style="dim")
    return Text("  ").join([clock, _event_text(event, labels)])


def _event_text(event: MonitorEvent, labels: Sequence[str]) -> Text:
    match event.seen:
        case Line(text):
            return Text(f"| {text}")
        case ReportedInference():
            return _inference_text(event.seen, labels)
        case DamagedInference(line):
            return Text(f"damaged report: {line}", style="yellow")
        case Opened(port):
            return Text(f"connected to {port}", style="green")
        case Lost(reason):
            return Text(f"connection lost: {reason}; waiting for it to come back", style="red")
        case Faulted(message, hint, details):
            lines = [f"FAULT: {message}", *(f"    {line}" for line in details)]
            return Text("\n".join([*lines, f"    hint: {hint}"] if hint else lines), style="red")


def _inference_text(inference: ReportedInference, labels: Sequence[str]) -> Text:
    parts = [
        Text("  ").join(
            Text(f"{_name(output, value, labels)} {value_text(output, value)}")
            for value in output.top[:_SHOWN_IN_LINE]
        )
        for output in inference.outputs
    ]
    text = Text(" / ").join(parts)
    if inference.answer is not None:
        text = _answer_text(inference.answer)
    return Text.assemble((f"{_number(inference)}", "bold"), text, "  ", (_time(inference), "cyan"))


def _answer_text(answer: ReportedAnswer) -> Text:
    if answer.best is None:
        return Text("no answer: an output is no number")
    found = ("  DETECTED", "bold green") if answer.detected else ""
    return Text.assemble(f"{answer.label} {answer.score:.4g}", found)


def _number(inference: ReportedInference) -> str:
    return "" if inference.number is None else f"#{inference.number}  "


def _time(inference: ReportedInference) -> str:
    if inference.seconds is None:
        return f"{inference.ticks:,} ticks (emulated)"
    return latency_text(inference.seconds)


def _name(output: ReportedOutput, value: ReportedValue, labels: Sequence[str]) -> str:
    return label_of(output, value.index, labels) or f"[{value.index}]"


def is_share(output: ReportedOutput) -> bool:
    """Whether the values look like shares of 1: probabilities, shown in percent."""
    return len(output.top) > 1 and all(0 <= value.real <= 1 for value in output.top)


def value_text(output: ReportedOutput, value: ReportedValue) -> str:
    """A value as people read it: `98.4 %` among probabilities, else the number."""
    return f"{100 * value.real:.1f} %" if is_share(output) else f"{value.real:.4g}"


def latency_text(seconds: float) -> str:
    """A short time in the unit that suits it.

    >>> latency_text(0.00321), latency_text(0.000081), latency_text(2.5)
    ('3.21 ms', '81 us', '2.50 s')
    """
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} us"


def bar(share: float, width: int, *, unicode: bool) -> str:
    """A bar of at most `width` characters for a share of 0 to 1."""
    if not math.isfinite(share) or share <= 0:
        return ""
    eighths = round(min(share, 1.0) * width * 8)
    if not unicode:
        return "#" * round(eighths / 8)
    rest = " ▏▎▍▌▋▊▉"[eighths % 8].strip()
    return "█" * (eighths // 8) + rest


def panel(
    monitor: Monitor, latest: ReportedInference | None, *, unicode: bool, now: float | None = None
) -> RenderableType:
    """The live part: the latest inference with bars, what was counted, and the keys."""
    parts: list[RenderableType] = []
    if latest is None:
        parts.append(Text("no inference yet: r asks the firmware for one", style="dim"))
    else:
        parts += [_Bars(output, monitor.labels, unicode) for output in latest.outputs]
        parts.append(Text(_number(latest) + _time(latest), style="cyan"))
    spent = (time.monotonic() if now is None else now) - monitor.statistics.started
    parts.append(Text(summary(monitor.statistics, spent)))
    parts.append(Text(KEYS, style="dim"))
    state = "connected" if monitor.connected else "waiting for the board to come back"
    title = Text(f"{state}: {monitor.port}")
    edges = box.ROUNDED if unicode else box.ASCII
    return Panel(Group(*parts), title=title, title_align="left", box=edges)


@dataclass(frozen=True)
class _Bars:
    """The highest values of an output; in a narrow terminal the bars give way, not the names."""

    output: ReportedOutput
    labels: Sequence[str]
    unicode: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self.output.top[:_SHOWN_IN_PANEL]
        names = [_name(self.output, value, self.labels) for value in shown]
        values = [value_text(self.output, value) for value in shown]
        longest = min(_NAME_WIDTH, max(map(len, names), default=0))
        room = options.max_width - longest - max(map(len, values), default=0) - _BETWEEN_COLUMNS
        width = max(_BAR_WIDTH_LEAST, min(_BAR_WIDTH, room))
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(max_width=_NAME_WIDTH, overflow="ellipsis", no_wrap=True)
        table.add_column(no_wrap=True, min_width=width)
        table.add_column(justify="right", no_wrap=True)
        for name, share, value in zip(names, self._shares(shown), values, strict=True):
            drawn = Text(bar(share, width, unicode=self.unicode), style="green")
            table.add_row(name, drawn, value)
        yield table

    def _shares(self, shown: Sequence[ReportedValue]) -> list[float]:
        whole = 1.0 if is_share(self.output) else max((abs(v.real) for v in shown), default=1.0)
        if not whole or not math.isfinite(whole):
            return [0.0] * len(shown)
        return [value.real / whole for value in shown]


def summary(statistics: MonitorStatistics, spent: float) -> str:
    """What was counted, in one line."""
    parts = [f"{_counted(statistics.inferences, 'inference')} in {duration_text(spent)}"]
    if (mean := statistics.latency_mean) is not None:
        times = (statistics.latency_least, mean, statistics.latency_most)
        parts.append("least/mean/most " + " / ".join(map(latency_text, times)))
    for count, what in (
        (statistics.damaged, "damaged report"),
        (statistics.faults, "fault"),
        (statistics.disconnects, "lost connection"),
    ):
        if count:
            parts.append(_counted(count, what))
    return ", ".join(parts)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + "s" * (count != 1)
