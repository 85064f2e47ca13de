"""The C that people read is formatted as the project's own `.clang-format` says."""

import shutil
import subprocess
from pathlib import Path

import pytest
from project_case import small_files

TEMPLATES = Path(__file__).resolve().parents[2] / "firmware_templates"
STYLE = TEMPLATES / "project" / "clang-format"
SOURCES = sorted(path for path in TEMPLATES.rglob("*.[ch]"))

pytestmark = pytest.mark.skipif(
    shutil.which("clang-format") is None, reason="clang-format is not installed"
)


def formatted(text: str, name: str) -> str:
    command = ["clang-format", f"--style=file:{STYLE}", f"--assume-filename={name}"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_source_file_is_formatted(path: Path) -> None:
    assert path.read_text() == formatted(path.read_text(), path.name)


def test_the_generated_interface_is_formatted() -> None:
    text = small_files()["lib/model/model.h"].decode()
    assert text == formatted(text, "model.h")


def test_no_line_of_generated_c_is_longer_than_100_columns() -> None:
    too_long = [
        (path, line)
        for path, content in small_files().items()
        if path.endswith((".c", ".h"))
        for line in content.decode().splitlines()
        if len(line) > 100
    ]
    assert not too_long
