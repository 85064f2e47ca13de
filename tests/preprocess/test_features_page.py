"""docs/features.md names every key, value and preset of the spec, and shows true hashes."""

from pathlib import Path
from typing import Any, get_args

import pytest

from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.preprocess.image_spec import Crop
from tinyml_tool.preprocess.micro_audio_spec import NoiseReduction, Pcan
from tinyml_tool.preprocess.presets import PRESETS
from tinyml_tool.preprocess.series_spec import Filter
from tinyml_tool.preprocess.spec import KINDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "features.md").read_text()
TABLES = [*KINDS.values(), Crop, NoiseReduction, Pcan, Filter, AnswerSpec]


def choices(annotation: Any) -> set[str]:
    """All strings that a type allows."""
    if isinstance(annotation, str):
        return {annotation}
    return set().union(*(choices(part) for part in get_args(annotation)))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_the_page_names_every_key_and_choice(table: Any) -> None:
    for key, field in table.model_fields.items():
        assert f"`{key}`" in PAGE or f'`{key} = "' in PAGE, key
        for choice in choices(field.annotation):
            assert f"`{choice}`" in PAGE or f'"{choice}"' in PAGE, choice


def test_the_page_names_every_preset() -> None:
    assert all(f"| `{name}` |" in PAGE for name in PRESETS)
