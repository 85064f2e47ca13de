"""The TensorFlow Lite Micro that projects of engine tflm are built with: a directory of the user.

It holds upstream's headers, as its create_tflm_tree.py or a checkout has them, and for each kind of
core the library that upstream's Makefile makes.  See docs/tflm.md.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.boards import Core
from tinyml_tool.config import FILE_NAME, read_config
from tinyml_tool.errors import ToolMissingError
from tinyml_tool.firmware.tflm_core import LIBRARY, tflm_core_name
from tinyml_tool.toolchain.static_library import NotALibraryError, StaticLibrary, read_library

VARIABLE = "TINYML_TFLM_DIR"
IN_PROJECT = "tflm"
"""The folder of a project that is taken where nothing is named."""

CMSIS_NN = "CMSIS-NN"
"""Kernels of a library that was made with OPTIMIZED_KERNEL_DIR=cmsis_nn."""

_HEADERS = (
    "tensorflow/lite/micro/micro_interpreter.h",
    "tensorflow/lite/micro/micro_mutable_op_resolver.h",
    "tensorflow/lite/schema/schema_generated.h",
)
_THIRD_PARTY = ("third_party", "tensorflow/lite/micro/tools/make/downloads")
_FLATBUFFERS = "flatbuffers/include/flatbuffers/base.h"
_PAGE = "docs/tflm.md tells how to make one with upstream's own tools"

_PARTS = ("MAJOR", "MINOR", "REVISION")
_HAS = re.compile(r"#define\s+FLATBUFFERS_VERSION_(MAJOR|MINOR|REVISION)\s+(\d+)")
_NEEDS = re.compile(r"FLATBUFFERS_VERSION_(MAJOR|MINOR|REVISION)\s*==\s*(\d+)")

_CORES = {
    "cortex-m0": "Armv6-M",
    "cortex-m0plus": "Armv6-M",
    "cortex-m3": "Armv7-M",
    "cortex-m4": "Armv7E-M",
    "cortex-m7": "Armv7E-M",
    "cortex-m33": "Armv8-M",
    "cortex-m55": "Armv8.1-M",
    "cortex-m85": "Armv8.1-M",
}
_ORDER = ("Armv6-M", "Armv7-M", "Armv7E-M", "Armv8-M", "Armv8.1-M")


@dataclass(frozen=True)
class TflmDirectory:
    """A directory with all that a project for one core needs of TFLM."""

    path: Path
    flatbuffers: str
    library: StaticLibrary

    @property
    def kernels(self) -> str:
        """Whose kernels the library has: CMSIS-NN, or TFLM's reference."""
        return CMSIS_NN if self.library.defines("arm_convolve_s8") else "reference"

    @property
    def has_messages(self) -> bool:
        """Whether it says why something failed, and when a layer ends (all but release builds)."""
        return self.library.defines("MicroPrintf")

    @property
    def variables(self) -> dict[str, str]:
        """What a build must have in its environment to find it."""
        return {VARIABLE: str(self.path)}

    def is_another(self, facts: Mapping[str, str]) -> bool:
        """Whether `facts`, of an earlier time, tell of another library."""
        known = facts.get("library_sha256")
        return known is not None and known != self.facts["library_sha256"]

    @property
    def facts(self) -> dict[str, str]:
        """What identifies it: told in manifests and by `doctor`."""
        return {
            "library": self.library.path.relative_to(self.path).as_posix(),
            "library_sha256": hashlib.sha256(self.library.content).hexdigest(),
            "kernels": self.kernels,
            "messages": "yes" if self.has_messages else "no",
            "flatbuffers": self.flatbuffers,
            "compiler": self.library.compiler or "unknown",
        }


def named_directory(project: Path | None = None) -> Path | None:
    """The directory that the user names, of these the first that there is.

    The environment's TINYML_TFLM_DIR; `tflm.source` in the project file of `project`, and of the
    current folder; the project's own folder `tflm`.  Raises ConfigError where a project file is
    wrong.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser().absolute()
    folders = [Path.cwd()] if project is None else [project, Path.cwd()]
    for folder in folders:
        if (folder / FILE_NAME).is_file():
            source = read_config(folder / FILE_NAME).config.tflm.source
            if source is not None:
                return (folder / Path(source).expanduser()).absolute()
    own = (project or Path.cwd()) / IN_PROJECT
    return own.absolute() if own.is_dir() else None


def require_tflm(core: Core, project: Path | None = None) -> TflmDirectory:
    """The directory for firmware on `core`, checked.

    Raises ToolMissingError that tells what is expected where.
    """
    path = named_directory(project)
    if path is None:
        raise ToolMissingError(
            "engine tflm needs TensorFlow Lite Micro, and nothing says where it is",
            hint=f"set {VARIABLE} to its directory, or `source` in [tflm] of {FILE_NAME}; {_PAGE}",
        )
    return check_directory(path, core)


def check_directory(path: Path, core: Core) -> TflmDirectory:
    """Look into `path` for headers and the library for `core`.  Raises ToolMissingError."""
    flatbuffers = check_headers(path)
    name = tflm_core_name(core)
    library = _library(path, name)
    if cause := _mismatch(library, core):
        raise ToolMissingError(
            f"{library.path}: {cause}",
            hint=f"make it with upstream's Makefile for TARGET_ARCH={name}; {_PAGE}",
        )
    return TflmDirectory(path, flatbuffers, library)


def check_headers(path: Path) -> str:
    """Check that `path` holds the headers; returns the version of flatbuffers among them.

    Raises ToolMissingError with all that is missing.
    """
    if not path.is_dir():
        raise ToolMissingError(
            f"{path}: no such directory; it should hold TensorFlow Lite Micro",
            hint=f"correct {VARIABLE}, or `source` in [tflm] of {FILE_NAME}; {_PAGE}",
        )
    missing = [header for header in _HEADERS if not (path / header).is_file()]
    bases = [path / place / _FLATBUFFERS for place in _THIRD_PARTY]
    base = next((file for file in bases if file.is_file()), None)
    if base is None:
        missing.append(f"{_THIRD_PARTY[0]}/{_FLATBUFFERS}")
    if missing or base is None:
        raise ToolMissingError(
            f"{path}: not TensorFlow Lite Micro: {missing[0]} is not there",
            hint=f"name a directory made by upstream's create_tflm_tree.py; {_PAGE}",
            details=[f"missing: {path / name}" for name in missing],
        )
    has = _version(_HAS, base)
    needs = _version(_NEEDS, path / _HEADERS[-1])
    if needs and has != needs:
        raise ToolMissingError(
            f"{path}: its flatbuffers is {has}, and its schema_generated.h needs exactly {needs}",
            hint=f"take the version that upstream names; {_PAGE}",
        )
    return has


def _version(pattern: re.Pattern[str], file: Path) -> str:
    found = dict(pattern.findall(file.read_text(encoding="utf-8", errors="replace")))
    return ".".join(found[part] for part in _PARTS if part in found)


def libraries_in(path: Path) -> dict[str, Path]:
    """The libraries of a directory by kind of core; "" is the one for any core."""
    found = {file.parent.name: file for file in sorted(path.glob(f"lib/*/{LIBRARY}"))}
    for place in (path / LIBRARY, path / "lib" / LIBRARY):
        if place.is_file():
            found[""] = place
    return found


def _library(path: Path, name: str) -> StaticLibrary:
    there = libraries_in(path)
    file = there.get(name, there.get(""))
    if file is None:
        others = f"; it has those for {', '.join(there)}" if there else ""
        raise ToolMissingError(
            f"{path}: no library for {name}: lib/{name}/{LIBRARY} is not there{others}",
            hint=f"make it with upstream's Makefile, target microlite, TARGET_ARCH={name}, and put "
            f"it there; {_PAGE}",
        )
    try:
        return read_library(file)
    except NotALibraryError as error:
        cause = str(error)
    except OSError as error:
        cause = f"cannot be read: {error.strerror}"
    raise ToolMissingError(f"{file}: {cause}", hint=_PAGE)


def _mismatch(library: StaticLibrary, core: Core) -> str | None:
    """Why firmware for `core` cannot be linked with `library`, or would fail on it."""
    if _ORDER.index(library.architecture) > _ORDER.index(_CORES[core.name]):
        return f"is for {library.architecture}, which a {core.name} does not execute"
    hard_float = core.fpu != "none"
    if library.hard_float != hard_float:
        has, needs = ("hard", "soft") if library.hard_float else ("soft", "hard")
        return f"was compiled with -mfloat-abi={has}, this board's firmware is with {needs}"
    return None
