"""docs/features.md and docs/answers.md name every key, value and preset of the specs."""

from pathlib import Path
from typing import Any, get_args

import pytest

from tinyml_tool.preprocess.answer_spec import KINDS as ANSWER_KINDS
from tinyml_tool.preprocess.image_spec import Crop
from tinyml_tool.preprocess.micro_audio_spec import NoiseReduction, Pcan
from tinyml_tool.preprocess.presets import PRESETS
from tinyml_tool.preprocess.series_spec import Filter
from tinyml_tool.preprocess.spec import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "features.md").read_text()
ANSWERS_PAGE = (DOCS / "answers.md").read_text()
TABLES = [*KINDS.values(), Crop, NoiseReduction, Pcan, Filter]


def choices(annotation: Any) -> set[str]:
    """All strings that a type allows."""
    if isinstance(annotation, str):
        return {annotation}
    return set().union(*(choices(part) for part in get_args(annotation)))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_the_page_names_every_key_and_choice(table: Any) -> None:
    assert_told(table, PAGE)


@pytest.mark.parametrize("table", ANSWER_KINDS.values(), ids=lambda table: table.__name__)
def test_the_page_of_answers_names_every_key_and_choice(table: Any) -> None:
    assert_told(table, ANSWERS_PAGE)


def assert_told(table: Any, page: str) -> None:
    for key, field in table.model_fields.items():
        assert f"`{key}`" in page or f'`{key} = "' in page, key
        for choice in choices(field.annotation):
            assert f"`{choice}`" in page or f'"{choice}"' in page, choice


def test_the_page_names_every_preset() -> None:
    assert all(f"| `{name}` |" in PAGE for name in PRESETS)
