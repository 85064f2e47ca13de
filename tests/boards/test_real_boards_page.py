"""docs/real-boards.md names commands, boards and numbers that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from board_project import REAL_BOARDS
from typer.main import get_command

from tinyml_tool.boards import load_board, load_boards
from tinyml_tool.cli.main import app

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "real-boards.md").read_text(encoding="utf-8")


def test_every_command_exists_with_its_options() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    lines = re.findall(r"(?:\$ |`)(tinyml [^`\n]+)", PAGE)
    assert lines
    for line in lines:
        verb, *words = line.split()[1:]
        options = {option for parameter in commands[verb].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, line


@pytest.mark.parametrize("name", ["nucleo_l4r5zi", "nano33ble", "pico", "esp32s3"])
def test_the_owner_of_each_of_the_four_boards_finds_three_commands(name: str) -> None:
    for command in (f"--board {name} ", "tinyml flash digits", f"--port {name}\n"):
        assert command in PAGE


def test_every_board_that_is_named_exists() -> None:
    named = set(re.findall(r"--(?:board|port) ([a-z]\w+)", PAGE))
    assert named <= set(load_boards())


@pytest.mark.parametrize("name", ["nucleo_l4r5zi", "nano33ble", "pico", "esp32s3"])
def test_the_timer_that_is_named_is_the_boards(name: str) -> None:
    assert f"{load_board(name).timer.hz} Hz" in PAGE


def test_the_counts_of_boards_are_right() -> None:
    built = [load_board(name).checked.built for name in REAL_BOARDS]  # type: ignore[union-attr]
    linked = [text for text in built if text.partition(": ")[2].startswith("linked")]
    assert f"all\n{len(REAL_BOARDS)} with" in PAGE
    assert f"For {sum(map(bool, built))} of the boards" in PAGE
    assert f"for {len(linked)} of them linked" in PAGE
