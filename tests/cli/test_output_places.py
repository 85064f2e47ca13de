"""Where a project may go: never over somebody's work, and never half of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import REPOSITORY, tinyml
from small_models import small_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model())
    return path


def test_an_existing_folder_is_kept(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    result = tinyml("generate", model, "--output", folder, "--json")
    assert (result.code, result.error["code"]) == (2, "output")
    assert (folder / "thesis.txt").read_text() == "years of work"
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_force_does_not_replace_a_folder_that_is_no_project(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    result = tinyml("generate", model, "--output", folder, "--force", "--json")
    assert (result.code, result.error["code"]) == (2, "output")
    assert (folder / "thesis.txt").read_text() == "years of work"


def test_a_project_is_replaced_with_force_only(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    assert tinyml("generate", model, "--output", folder).code == 0
    again = tinyml("generate", model, "--output", folder, "--json")
    assert again.code == 2
    assert "--force" in again.error["hint"]
    assert tinyml("generate", model, "--output", folder, "--force").code == 0


def test_the_same_model_gives_the_same_project_byte_for_byte(model: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert tinyml("generate", model, "--output", tmp_path / name).code == 0
    compared = subprocess.run(
        ["diff", "-r", tmp_path / "a", tmp_path / "b"], capture_output=True, check=False
    )
    assert compared.stdout == b""
    assert compared.returncode == 0


@pytest.mark.parametrize("place", ["/proc/project", "/dev/null/project"])
def test_an_unwritable_place_is_told(place: str, model: Path) -> None:
    result = tinyml("generate", model, "--output", place, "--json")
    assert (result.code, result.error["code"]) == (2, "output")
    assert result.error["hint"]


def can_mount() -> bool:
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return (
        shutil.which("unshare") is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not can_mount(), reason="no small disk can be mounted here")
def test_a_full_disk_is_told_and_nothing_is_left_behind(model: Path) -> None:
    script = (
        f"mount -t tmpfs -o size=64k none /mnt && cd {REPOSITORY} && "
        f"{sys.executable} -m tinyml_tool generate {model} --output /mnt/project --json; "
        "code=$?; ls -A /mnt >&2; exit $code"
    )
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert result.returncode == 2
    assert "disk" in result.stdout
    assert "project" not in result.stderr.replace("writing /mnt/project", "")
