"""docs/sensors.md names every kind, key and choice, and what the boards have."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from tinyml_tool.boards import load_boards
from tinyml_tool.preprocess.motion_registers import MOTION_SENSORS
from tinyml_tool.preprocess.source_spec import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "sensors.md").read_text()
SENSORS = (DOCS.parent / "firmware_templates" / "sensors" / "tinyml_sense.c").read_text()


def choices(annotation: Any) -> set[str]:
    """All strings that a type allows."""
    if isinstance(annotation, str):
        return {annotation}
    return set().union(*(choices(part) for part in get_args(annotation)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_names_every_key_and_choice(kind: str) -> None:
    for key, field in KINDS[kind].model_fields.items():
        assert key == "kind" or f"`{key}`" in PAGE, key
        for choice in choices(field.annotation):
            assert f"`{choice}`" in PAGE, choice


def test_the_page_names_the_boards_of_every_kind() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 5]
    for board in load_boards().values():
        for kind in board.source_kinds if board.is_real else ():
            assert any(row.startswith(f"| `{kind}` ") and f"`{board.id}`" in row for row in rows)


def test_the_page_names_the_rates_of_the_motion_sensors_and_microphones() -> None:
    for sensor in MOTION_SENSORS.values():
        *most, last = map(str, sensor.rates)
        assert f"{', '.join(most)} or {last} of an" in PAGE
    for board in load_boards().values():
        if board.sources is not None and board.sources.pdm is not None:
            assert f"`{board.id}` " in PAGE
            assert all(str(rate) in PAGE for rate in board.sources.pdm.rates)


@pytest.mark.parametrize(
    "words",
    [
        "does not answer, or is another part",
        "does not answer any more",
        "its library refuses the settings",
        "the recording is over",
    ],
)
def test_what_the_firmware_says_stands_in_the_page(words: str) -> None:
    assert words in SENSORS
    assert words in PAGE


@pytest.mark.parametrize("page", ["README.md", "docs/README.md", "docs/features.md"])
def test_the_page_can_be_found(page: str) -> None:
    assert "sensors.md)" in (DOCS.parent / page).read_text()
