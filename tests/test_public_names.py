"""What `import tinyml_tool as tt` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tinyml_tool as tt


@pytest.mark.parametrize(
    "before",
    ["", "tt.TrainSettings", "import tinyml_tool.train.job", "from tinyml_tool.train import job"],
)
def test_train_is_the_function_whatever_was_imported_before(before: str) -> None:
    code = f"import tinyml_tool as tt\n{before}\nprint(tt.train.__module__)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.stdout.strip() == "tinyml_tool.api.train", answer.stderr


def test_every_public_name_can_be_used() -> None:
    assert [name for name in tt.__all__ if not hasattr(tt, name)] == []
