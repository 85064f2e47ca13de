"""`tinyml monitor [PORT | BOARD | PROJECT]`."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.cli.keyboard import pressed_keys
from tinyml_tool.cli.options import Json
from tinyml_tool.cli.output import Outcome, run_command

if TYPE_CHECKING:
    from rich.console import Console

    from tinyml_tool.api.monitor import Monitor, MonitorEvent, MonitorLimits
    from tinyml_tool.cli.monitor_views import View

_POLL_SECONDS = 0.05
_COMMANDS = {"r": "run", "i": "info", "h": "help"}
_QUIT = "qQ\x04"  # and Ctrl-D


class _Typist:
    """Types a line to the firmware: once it is connected, then again and again where asked to."""

    def __init__(self, monitor: Monitor, line: str | None, every: float | None) -> None:
        self._monitor = monitor
        self._line = line
        self._every = every
        self._next = 0.0

    def work(self) -> None:
        """Type the line if it is time."""
        now = time.monotonic()
        if self._line is None or now < self._next or not self._monitor.connected:
            return
        if self._monitor.send(self._line):
            self._next = now + self._every if self._every is not None else float("inf")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end the command as Ctrl-C does: the terminal is left in order."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(
    monitor: Monitor,
    limits: MonitorLimits,
    view: View,
    record: Callable[[Sequence[MonitorEvent]], None],
    typist: _Typist,
    keys: Callable[[], str],
) -> None:
    """Until the limits are reached, or somebody quits."""
    while not limits.reached(monitor.statistics):
        typist.work()
        events = monitor.poll(_POLL_SECONDS)
        record(events)
        view.tell(events)
        for key in keys():
            if key in _QUIT:
                return
            if key in _COMMANDS:
                monitor.send(_COMMANDS[key])


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("monitor")
    def monitor_command(
        target: Annotated[
            str | None,
            typer.Argument(
                help="A port, a URL, a board's id, or a project.",
                show_default="the project in this folder, or the only port",
            ),
        ] = None,
        port: Annotated[
            str | None, typer.Option("--port", "-p", help="The same as the argument.")
        ] = None,
        labels: Annotated[
            Path | None,
            typer.Option(
                "--labels",
                "-l",
                help="Text file with the name of a class in each line. [default: `labels` in "
                "[monitor] of the project's tinyml.toml]",
            ),
        ] = None,
        baud: Annotated[
            int | None, typer.Option("--baud", min=50, help="[default: the board's, or 115200]")
        ] = None,
        count: Annotated[
            int | None, typer.Option("--count", min=1, help="End after so many inferences.")
        ] = None,
        duration: Annotated[
            float | None, typer.Option("--duration", min=0.0, help="End after so many seconds.")
        ] = None,
        send: Annotated[
            str | None,
            typer.Option("--send", help="Type this line to the firmware first, such as `run`."),
        ] = None,
        every: Annotated[
            float | None,
            typer.Option("--every", min=0.01, help="Type it again every so many seconds."),
        ] = None,
        record: Annotated[
            Path | None,
            typer.Option("--record", help="Append everything to this file, as lines of JSON."),
        ] = None,
        plain: Annotated[
            bool, typer.Option("--plain", help="Lines only, also in a terminal.")
        ] = False,
        json: Json = False,
    ) -> None:
        """Show what a board prints and infers, live: every inference with its time and classes.

        Keys: q or Ctrl-C quits, r runs the model once, i shows info, h the firmware's commands.
        With --json, a line for each event, and the usual object as the last line.

        Examples: `tinyml monitor` · `tinyml monitor /dev/ttyACM0 --labels labels.txt` ·
        `tinyml monitor qemu-m4 --send run --count 1 --json`
        """

        def act() -> Outcome:
            from tinyml_tool.api.event_log import open_event_log
            from tinyml_tool.api.monitor import Monitor, MonitorLimits, monitor_source
            from tinyml_tool.cli.monitor_views import open_view

            limits = MonitorLimits(count, duration)
            source = monitor_source(_one_of(target, port), labels=labels)
            monitor = Monitor(source, baud=baud)
            with ExitStack() as resources:
                resources.enter_context(_ended_by_signals())
                log = resources.enter_context(open_event_log(record, source.labels))
                resources.enter_context(monitor)
                keys = resources.enter_context(pressed_keys())
                view = resources.enter_context(open_view(monitor, json=json, plain=plain))
                try:
                    typist = _Typist(monitor, send, every)
                    _watch(monitor, limits, view, log, typist, keys)
                except (KeyboardInterrupt, BrokenPipeError):
                    pass  # the usual ways to end
            return _outcome(monitor, limits)

        run_command("monitor", lambda _: act(), json=json, quiet=True)


def _one_of(target: str | None, port: str | None) -> str | None:
    from tinyml_tool.errors import InputError

    if target is not None and port is not None:
        raise InputError("there is a port as argument and as --port", hint="give one of them")
    return target if port is None else port


def _outcome(monitor: Monitor, limits: MonitorLimits) -> Outcome:
    from tinyml_tool.report.monitoring import summary

    statistics = monitor.statistics
    spent = time.monotonic() - statistics.started

    def show(console: Console) -> None:
        console.print(summary(statistics, spent))

    return Outcome(statistics.to_json(), show, error=limits.failure(statistics))
