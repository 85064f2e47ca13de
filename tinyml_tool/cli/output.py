"""What a command says: progress on stderr, the result on stdout, failures with a next step."""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from tinyml_tool.cli.progress_bar import with_bar
from tinyml_tool.errors import OutOfMemoryError, TinymlError
from tinyml_tool.report.envelope import envelope

if TYPE_CHECKING:
    from rich.console import Console

INTERRUPTED = 130
Progress: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """A command's end: `result` for machines, `show` for people.

    An `error` beside a result is a verdict: both are told, and the exit code is the error's.
    """

    result: Mapping[str, Any] | Sequence[Any]
    show: Callable[[Console], None]
    warnings: Sequence[str] = ()
    error: TinymlError | None = None


def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def _tell(error: TinymlError) -> None:
    from rich.text import Text

    console = _stderr()
    console.print(Text.assemble(("error: ", "bold red"), error.message))
    told = len(error.details) == 1 and error.details[0] in error.message
    for line in () if told else error.details[:50]:
        console.print(Text(f"  - {line}"))
    if len(error.details) > 50:
        console.print(Text(f"  ... and {len(error.details) - 50} more"))
    if error.hint:
        console.print(Text.assemble(("hint: ", "bold cyan"), error.hint))


def _internal(error: Exception) -> TinymlError:
    if os.environ.get("TINYML_DEBUG"):
        traceback.print_exc()
    return TinymlError(
        f"internal error: {type(error).__name__}: {error}",
        hint="this is a fault of tinyml; run again with TINYML_DEBUG=1 and report the traceback",
    )


def _memory(error: MemoryError) -> TinymlError:
    return OutOfMemoryError(
        f"memory ran out: {error}" if str(error) else "memory ran out",
        hint="take fewer or smaller samples, or a machine with more memory",
    )


def _finish(code: int) -> typer.Exit:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return typer.Exit(code)


def run_command(
    command: str, action: Callable[[Progress], Outcome], *, json: bool, quiet: bool = False
) -> None:
    """Run `action` and tell its outcome; ends by raising typer.Exit with the exit code."""
    error: TinymlError | None = None
    outcome: Outcome | None = None
    try:
        outcome = _act(action, quiet)
        error = outcome.error
    except TinymlError as failure:
        error = failure
    except KeyboardInterrupt as stop:
        _stderr().print("; ".join(["interrupted", *map(str, stop.args)]))
        raise _finish(INTERRUPTED) from None
    except MemoryError as failure:
        error = _memory(failure)
    except Exception as failure:
        error = _internal(failure)
    try:
        if json:
            result = outcome.result if outcome else None
            warnings = outcome.warnings if outcome else ()
            print(envelope(command, result=result, warnings=warnings, error=error))
        elif outcome:
            _show(outcome)
    except BrokenPipeError:
        pass
    if error and not json:
        _tell(error)
    raise _finish(int(error.exit_code) if error else 0)


def _show(outcome: Outcome) -> None:
    from rich.console import Console
    from rich.text import Text

    outcome.show(Console(highlight=False))
    for warning in outcome.warnings:
        _stderr().print(Text.assemble(("warning: ", "bold yellow"), warning))


class PlainProgress:
    """Progress as lines, for logs: counting stages ("test input 3 of 10") at most every 5 s."""

    def __init__(self) -> None:
        self._stage = ""
        self._told_at = 0.0

    def __call__(self, text: str) -> None:
        """Tell `text`, unless it only counts on."""
        stage = re.sub(r"\d+", "#", text)
        now = time.monotonic()
        if stage == self._stage and now - self._told_at < 5:
            return
        self._stage, self._told_at = stage, now
        print(f"... {text}", file=sys.stderr, flush=True)


def _act(action: Callable[[Progress], Outcome], quiet: bool) -> Outcome:
    if quiet:
        return action(lambda _: None)
    if not sys.stderr.isatty():
        return action(PlainProgress())
    console = _stderr()
    with console.status("starting") as status:
        return action(lambda text: status.update(with_bar(text)))
