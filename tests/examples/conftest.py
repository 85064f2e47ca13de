"""Modules of the examples, which are scripts beside each other and no package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def example_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Imports `NAME` of examples/ or `EXAMPLE/NAME`, and forgets all of them afterwards.

    The examples have modules of the same names.
    """
    before = set(sys.modules)

    def imported(name: str) -> ModuleType:
        folder, _, module = name.rpartition("/")
        monkeypatch.syspath_prepend(EXAMPLES)
        if folder:
            monkeypatch.syspath_prepend(EXAMPLES / folder)
        return import_module(module)

    yield imported
    for name in set(sys.modules) - before:
        if EXAMPLES in Path(getattr(sys.modules[name], "__file__", None) or "").parents:
            del sys.modules[name]
