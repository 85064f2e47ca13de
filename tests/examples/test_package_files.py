"""Data from packages: taken where installed, fetched once, or a clear message."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tinyml_tool.errors import ToolMissingError

NAME, MODULE, VERSION = "tinyml-made-data", "tinyml_made_data", "1.0"


@pytest.fixture
def files(example_module: Callable[[str], ModuleType]) -> Any:
    return example_module("package_files")


@pytest.fixture
def package(files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A package that pip can find, if at all, in the folder `shelf` alone."""
    (tmp_path / "shelf").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "shelf"))
    return files.Package(NAME, module=MODULE, version=VERSION, megabytes=1)


def write_wheel(shelf: Path) -> None:
    about = f"{MODULE}-{VERSION}.dist-info"
    with zipfile.ZipFile(shelf / f"{MODULE}-{VERSION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{MODULE}/__init__.py", "raise ImportError('only its files are wanted')\n")
        wheel.writestr(f"{MODULE}/data.csv", "1,2\n")
        wheel.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {NAME}\n"
            f"Version: {VERSION}\nRequires-Dist: no-such-dependency\n",
        )
        wheel.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{about}/RECORD", "")


def nothing(text: str) -> None:
    del text


def test_the_files_of_an_installed_package_are_taken_as_they_are(files: Any) -> None:
    installed = files.Package("numpy", module="numpy", version="0", megabytes=0)
    assert (files.package_folder(installed, nothing) / "__init__.py").is_file()


def test_a_package_is_fetched_once_and_without_what_it_depends_on(
    files: Any, package: Any, tmp_path: Path
) -> None:
    write_wheel(tmp_path / "shelf")
    told: list[str] = []
    folder = files.package_folder(package, told.append)
    assert (folder / "data.csv").read_text() == "1,2\n"
    assert len(told) == 1
    assert "1 MB" in told[0]
    (tmp_path / "shelf" / f"{MODULE}-{VERSION}-py3-none-any.whl").unlink()
    assert files.package_folder(package, told.append) == folder
    assert len(told) == 1


def test_a_package_that_cannot_be_fetched_is_an_error_with_the_way_out(
    files: Any, package: Any, tmp_path: Path
) -> None:
    with pytest.raises(ToolMissingError, match=f"{NAME}=={VERSION}, which could not") as caught:
        files.package_folder(package, nothing)
    assert f"pip install --no-deps {NAME}=={VERSION}" in (caught.value.hint or "")
    assert list((tmp_path / "cache").rglob("*")) == [
        tmp_path / "cache" / "tinyml",
        tmp_path / "cache" / "tinyml" / "examples",
    ]
