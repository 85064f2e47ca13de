"""What all examples share: their options, and progress while they work."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from outcome import Outcome, facts, verdict
from rich.console import Console
from rich.text import Text

from tinyml_tool.boards import load_board
from tinyml_tool.errors import TinymlError

DEFAULT_BOARD = "qemu-m4"


@dataclass(frozen=True)
class Stage:
    """Where an example works, and how much of it."""

    folder: Path
    """All that it makes goes here."""
    board: str
    small: bool
    """A few samples and epochs: shows that everything works, not how good it gets."""
    console: Console

    @property
    def project(self) -> Path:
        """The firmware project."""
        return self.folder / "project"

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show what is going on: a line that changes in a terminal, else one line a step."""
        if not self.console.is_terminal:
            self.console.print(f"... {what}")
            yield lambda text: None
            return
        with self.console.status(what) as status:
            yield lambda text: status.update(f"{what}: {text}")


def perform(name: str, about: str, act: Callable[[Stage], Outcome]) -> int:
    """Run an example from the command line; gives its exit status."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--output", type=Path, default=Path("out") / name, help="folder to fill")
    parser.add_argument("--board", default=DEFAULT_BOARD, help="an emulated board")
    parser.add_argument("--small", action="store_true", help="few samples and epochs, to try it")
    given = parser.parse_args()
    console = Console(highlight=False)
    stage = Stage(given.output, given.board, given.small, console)
    start = time.monotonic()
    try:
        load_board(stage.board)  # a wrong name is told before the training
        stage.folder.mkdir(parents=True, exist_ok=True)
        outcome = act(stage)
    except TinymlError as error:
        console.print(Text(f"error: {error.message}", "bold red"))
        console.print(*(Text(line) for line in (*error.details, error.hint or "")), sep="\n")
        return error.exit_code
    except KeyboardInterrupt:
        console.print("stopped")
        return 130
    console.print(facts(outcome, time.monotonic() - start))
    (stage.folder / "result.json").write_text(json.dumps(outcome.to_json(), indent=2) + "\n")
    return verdict(outcome, console)


def run_as_script(name: str, about: str, act: Callable[[Stage], Outcome]) -> None:
    """`perform`, with its exit status as the process's."""
    sys.exit(perform(name, about, act))
