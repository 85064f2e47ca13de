"""Compile generated C for this computer, the very C of the firmware, as a library."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from tinyml_tool.cache_folder import cache_folder
from tinyml_tool.errors import BuildError, OutputError, ToolMissingError
from tinyml_tool.toolchain.host import WARNINGS

_FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-fPIC", "-shared")


def host_library(files: Mapping[str, str], main: str) -> Path:
    """The library of one C file `main` and what it includes, by path; all lie in one folder.

    It is built where no earlier one of the same sources is kept: in the user's cache folder, named
    by a hash of sources, flags and compiler.  Raises ToolMissingError without a C compiler,
    BuildError with its messages, OutputError where there is no place for it.
    """
    compiler = _compiler()
    names = {PurePosixPath(path).name: text for path, text in files.items()}
    path = _kept() / f"{_key(names, compiler)}{_suffix()}"
    if not path.is_file():
        _build(names, main, compiler, path)
    return path


def _compiler() -> str:
    for name in ("gcc", "cc", "clang"):
        if (found := shutil.which(name)) is not None:
            return found
    raise ToolMissingError(
        "no C compiler for this computer: features are computed by the C of the firmware",
        hint="sudo apt-get install gcc, or on macOS xcode-select --install",
    )


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


def _kept() -> Path:
    folder = cache_folder("features")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: no place for compiled code: {error.strerror}",
            hint="set XDG_CACHE_HOME to a folder that is writable",
        ) from None
    return folder


def _build(files: Mapping[str, str], main: str, compiler: str, path: Path) -> None:
    """Compile in a folder of its own, then move the result to `path` at once."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="build-") as folder:
            for name, text in files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            command = [compiler, *_FLAGS, *WARNINGS, "-Werror", main, "-o", path.name]
            result = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, check=False
            )
            if result.returncode != 0:
                raise BuildError(
                    "the generated C does not compile on this computer",
                    details=result.stderr.splitlines()[:20],
                )
            (Path(folder) / path.name).replace(path)
    except OSError as error:
        raise OutputError(
            f"{path.parent}: compiled code cannot be written: {error.strerror}",
            hint="free some disk space, or set XDG_CACHE_HOME to another folder",
        ) from None
