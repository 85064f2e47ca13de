from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from environments.tiny_package import environment, wheel

from tinyml_tool.environments.catalogue import ENVIRONMENTS
from tinyml_tool.environments.find import find_environment
from tinyml_tool.environments.make import make_environment, require_environment
from tinyml_tool.errors import ToolMissingError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYML_TINY_PYTHON", raising=False)


def silent(text: str) -> None:
    del text


def test_without_consent_nothing_is_made_and_the_size_is_told(tmp_path: Path) -> None:
    tiny = environment("no-such-package", "tinyml_no_such_module")
    with pytest.raises(ToolMissingError) as caught:
        require_environment(tiny, progress=silent)
    assert "--yes" in (caught.value.hint or "")
    assert "0.02 GB" in (caught.value.hint or "")
    assert "TINYML_TINY_PYTHON" in (caught.value.hint or "")
    assert not (tmp_path / "cache").exists()


def test_with_consent_it_is_made_once_and_found_again(tmp_path: Path) -> None:
    tiny = environment(str(wheel(tmp_path, "tinyml_tiny_a")), "tinyml_tiny_a")
    asked: list[str] = []
    found = require_environment(tiny, lambda it: asked.append(it.name) or True, silent)
    assert asked == ["tiny"]
    code = "import tinyml_tiny_a; print(tinyml_tiny_a.value)"
    said = subprocess.run([found.python, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "7\n"
    assert require_environment(tiny, progress=silent) == found
    assert [path.name for path in tiny.folder.parent.iterdir() if path.is_dir()] == [
        tiny.folder.name
    ]


def test_a_failed_attempt_is_no_environment_and_the_next_goes_on(tmp_path: Path) -> None:
    broken = wheel(tmp_path, "tinyml_tiny_b", "raise RuntimeError('does not import')\n")
    tiny = environment(str(broken), "tinyml_tiny_b")
    with pytest.raises(ToolMissingError, match="could not be made") as caught:
        make_environment(tiny, silent)
    assert any("does not import" in line for line in caught.value.details)
    assert find_environment(tiny) is None
    partial = tiny.folder.with_name(f"{tiny.folder.name}.partial")
    assert (partial / "bin" / "python").exists()
    marker = partial / "kept"
    marker.touch()
    (module,) = partial.glob("lib/*/site-packages/tinyml_tiny_b.py")
    module.write_text("value = 7\n")
    made = make_environment(tiny, silent)
    assert made.python == tiny.folder / "bin" / "python"
    assert (tiny.folder / "kept").exists()
    assert find_environment(tiny) == made


def test_a_python_that_the_user_names_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = environment("x", "tinyml_no_such_module")
    monkeypatch.setenv("TINYML_TINY_PYTHON", sys.executable)
    found = find_environment(tiny)
    assert found is not None
    assert found.python == Path(sys.executable)


def test_a_named_python_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_TINY_PYTHON", "/no/python")
    with pytest.raises(ToolMissingError, match="TINYML_TINY_PYTHON=/no/python"):
        find_environment(environment("x", "tinyml_no_such_module"))


def test_a_full_disk_is_told_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    tiny = environment(str(wheel(tmp_path, "tinyml_tiny_c")), "tinyml_tiny_c")
    with pytest.raises(ToolMissingError, match=r"has 0\.0 GB of room"):
        make_environment(tiny, silent)


def test_other_requirements_go_to_another_folder() -> None:
    assert environment("a", "m").folder != environment("b", "m").folder
    assert len({each.folder for each in ENVIRONMENTS.values()}) == len(ENVIRONMENTS)
