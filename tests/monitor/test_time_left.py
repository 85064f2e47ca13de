"""Progress over a slow wire: what is done, and how long the rest takes, by a clock of the test."""

from __future__ import annotations

import doctest

import pytest
from project_case import small_model

from tinyml_tool.api import time_left
from tinyml_tool.api.time_left import TransferProgress, duration_text, wire_bytes
from tinyml_tool.cli import flash
from tinyml_tool.errors import InputError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.report import monitoring


class Wire:
    """Moves bytes at a constant rate."""

    def __init__(self, steps: int, expected: int, rate: float = 1000) -> None:
        self.now = 100.0
        self.told: list[str] = []
        self.rate = rate
        self.progress = TransferProgress(steps, expected, self.told.append, clock=lambda: self.now)

    def move(self, count: int, pieces: int = 10) -> None:
        for _ in range(pieces):
            self.now += count / pieces / self.rate
            self.progress.moved(count // pieces)


def test_the_time_left_follows_from_what_was_moved() -> None:
    wire = Wire(steps=4, expected=40_000)
    wire.progress.begin()
    wire.move(10_000)
    assert wire.told[-1] == "comparing test input 1 of 4, 25 %, 30 s left"


def test_the_first_step_corrects_a_wrong_guess() -> None:
    wire = Wire(steps=4, expected=10_000)
    wire.progress.begin()
    wire.move(20_000)
    wire.progress.step_done()
    assert wire.told[-1] == "comparing test input 2 of 4, 25 %, 1 min left"


def test_no_time_is_told_before_it_can_be_known() -> None:
    wire = Wire(steps=4, expected=40_000)
    wire.progress.begin()
    wire.move(900)
    assert "left" not in wire.told[-1]


def test_it_does_not_talk_all_the_time() -> None:
    wire = Wire(steps=1, expected=100_000)
    wire.progress.begin()
    wire.move(10_000, pieces=1000)
    assert 35 <= len(wire.told) <= 41, "ten seconds, four messages a second"


def test_what_moves_before_and_after_does_not_count() -> None:
    wire = Wire(steps=1, expected=1000)
    wire.move(5000)
    assert wire.told == []
    wire.progress.begin()
    wire.move(1000)
    wire.progress.step_done()
    assert wire.told[-1].startswith("comparing test input 1 of 1, 100 %")
    said = len(wire.told)
    wire.move(5000)
    assert len(wire.told) == said


def test_more_than_was_expected_is_never_more_than_all() -> None:
    wire = Wire(steps=2, expected=10)
    wire.progress.begin()
    wire.move(5000)
    assert "100 %" in wire.told[-1]


def test_layers_move_more_than_outputs_alone() -> None:
    graph = parse_model(small_model(), "small")
    assert wire_bytes(graph, layers=True) > 2 * wire_bytes(graph, layers=False)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "1 s"), (59.1, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (86_400, "24 h")],
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize("module", [time_left, flash, monitoring], ids=lambda m: m.__name__)
def test_the_examples_in_the_documentation_are_right(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("text", ["", "h", "-1h", "1 fortnight", "1e9"])
def test_a_wrong_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no duration"):
        flash.duration(text)
