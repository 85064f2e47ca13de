"""A baseline that other inputs suit is refused, and the search leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared import shared_model
from training_case import series

from tinyml_tool.api.search import search
from tinyml_tool.errors import InputError


def test_a_baseline_for_other_inputs_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    hello = shared_model("hello_world_int8.tflite")
    with pytest.raises(InputError, match="cannot be the baseline: a sample has 24 values") as error:
        search(series(), output=tmp_path / "out", baseline=hello)
    assert "takes the inputs of this search" in str(error.value.hint)
    assert not any(tmp_path.iterdir())
