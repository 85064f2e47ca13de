"""The page that shows generated C shows what the tool generates."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location(
        "generate_code_page", ROOT / "docs" / "generate_code_page.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "generated-code.md").read_text(encoding="utf-8")
    assert module.code_page() == written, "run: python docs/generate_code_page.py"
