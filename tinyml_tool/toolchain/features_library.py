"""Compile generated preprocessing for this computer: the very C of the firmware, as a library."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from tinyml_tool.errors import BuildError, OutputError, ToolMissingError
from tinyml_tool.firmware.features_files import FOLDER, features_files, host_source
from tinyml_tool.preprocess.plan import FeaturePlan
from tinyml_tool.toolchain.host import WARNINGS

_FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-fPIC", "-shared")
_SOURCE = "features_host.c"


def features_library(plan: FeaturePlan) -> Path:
    """The library of a plan, built where no earlier one of the same sources is kept.

    It lies in the user's cache folder, named by a hash of sources, flags and compiler.  Raises
    ToolMissingError without a C compiler, BuildError with its messages, OutputError where there is
    no place for it.
    """
    compiler = _compiler()
    files = _sources(plan)
    path = _cache_folder() / f"{_key(files, compiler)}{_suffix()}"
    if not path.is_file():
        _build(files, compiler, path)
    return path


def _compiler() -> str:
    for name in ("gcc", "cc", "clang"):
        if (found := shutil.which(name)) is not None:
            return found
    raise ToolMissingError(
        "no C compiler for this computer: features are computed by the C of the firmware",
        hint="sudo apt-get install gcc, or on macOS xcode-select --install",
    )


def _sources(plan: FeaturePlan) -> dict[str, str]:
    files = {PurePosixPath(path).name: text for path, text in features_files(plan).items()}
    return {**files, _SOURCE: host_source()}


@cache
def _version(compiler: str) -> str:
    command = [compiler, "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout


def _key(files: Mapping[str, str], compiler: str) -> str:
    digest = hashlib.sha256()
    about = [*_FLAGS, *WARNINGS, _version(compiler), platform.machine(), sys.platform]
    for text in (*about, *(part for item in sorted(files.items()) for part in item)):
        digest.update(f"{len(text)} {text}\n".encode())
    return digest.hexdigest()[:32]


def _suffix() -> str:
    return ".dylib" if sys.platform == "darwin" else ".so"


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "tinyml-tool" / "features"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: no place for compiled preprocessing: {error.strerror}",
            hint="set XDG_CACHE_HOME to a folder that is writable",
        ) from None
    return folder


def _build(files: Mapping[str, str], compiler: str, path: Path) -> None:
    """Compile in a folder of its own, then move the result to `path` at once."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="build-") as folder:
            for name, text in files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            command = [compiler, *_FLAGS, *WARNINGS, "-Werror", _SOURCE, "-o", path.name]
            result = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, check=False
            )
            if result.returncode != 0:
                raise BuildError(
                    f"the C of {FOLDER} does not compile on this computer",
                    details=result.stderr.splitlines()[:20],
                )
            (Path(folder) / path.name).replace(path)
    except OSError as error:
        raise OutputError(
            f"{path.parent}: compiled preprocessing cannot be written: {error.strerror}",
            hint="free some disk space, or set XDG_CACHE_HOME to another folder",
        ) from None
