"""docs/boards.md says what the board files say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from board_project import REAL_BOARDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    path = ROOT / "docs" / "generate_boards_page.py"
    spec = importlib.util.spec_from_file_location("generate_boards_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(generator: ModuleType) -> None:
    written = (ROOT / "docs" / "boards.md").read_text(encoding="utf-8")
    assert generator.boards_page() == written, "run: python docs/generate_boards_page.py"


@pytest.mark.parametrize("name", REAL_BOARDS)
def test_every_real_board_is_in_every_table_of_real_boards(
    generator: ModuleType, name: str
) -> None:
    rows = [line for line in generator.boards_page().splitlines() if f"| `{name}` |" in line]
    assert len(rows) == 4


def test_no_cell_breaks_a_table(generator: ModuleType) -> None:
    width = 0
    for line in generator.boards_page().splitlines():
        if not line.startswith("|"):
            width = 0
        elif width:
            assert line.count("|") == width, line
        else:
            width = line.count("|")
