"""The wheel works where the source checkout is not."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
DIGITS = REPOSITORY / "examples" / "digits" / "digits.tflite"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the wheel's content, as an installation does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    subprocess.run([*command, REPOSITORY], check=True, capture_output=True)
    (wheel,) = folder.glob("tinyml_tool-*.whl")
    place = folder / "installed"
    zipfile.ZipFile(wheel).extractall(place)
    return place


def tinyml(installed: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "tinyml_tool", *arguments],
        cwd=installed.parent,
        env={"PYTHONPATH": str(installed), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_brings_its_data_folders(installed: Path) -> None:
    data = installed / "tinyml_tool" / "_data"
    originals = {
        path.relative_to(REPOSITORY)
        for folder in ("boards", "firmware_templates")
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file()
    }
    assert {path.relative_to(data) for path in data.rglob("*") if path.is_file()} == originals


def test_the_wheel_says_which_command_it_installs(installed: Path) -> None:
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "tinyml = tinyml_tool.cli.main:main" in entry_points.read_text()


def test_the_installed_package_is_what_runs(installed: Path) -> None:
    program = "import tinyml_tool; print(tinyml_tool.__file__)"
    result = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=installed.parent,
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(result.stdout.strip()).is_relative_to(installed)


def test_the_installed_package_deploys_a_model(installed: Path, tmp_path: Path) -> None:
    result = tinyml(installed, "deploy", DIGITS, "--output", tmp_path / "digits")
    assert result.returncode == 0, result.stderr
    assert "bit-exact" in result.stdout
