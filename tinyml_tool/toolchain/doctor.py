"""Which tools are installed, in which version, and the command that mends what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tinyml_tool.boards import load_boards
from tinyml_tool.environments.catalogue import ENVIRONMENTS
from tinyml_tool.environments.find import find_environment
from tinyml_tool.errors import TinymlError, ToolMissingError
from tinyml_tool.firmware.tflm_core import LIBRARY
from tinyml_tool.toolchain.cmake import APT as APT_CMAKE
from tinyml_tool.toolchain.compilers import (
    APT_COMPILER,
    APT_CXX,
    DEFAULT,
    Compiler,
    find_compiler,
)
from tinyml_tool.toolchain.programs import find_program
from tinyml_tool.toolchain.tflm_directory import (
    VARIABLE,
    check_headers,
    libraries_in,
    named_directory,
)

APT_QEMU = "sudo apt-get install qemu-system-arm"
GET_RENODE = "install it from https://renode.io, version 1.15.3 or newer"
APT_HOST_GCC = "sudo apt-get install gcc libc6-dev"
MINIMUM_PYTHON = (3, 11)

_SECONDS = 5.0
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True)
class Finding:
    """One tool: whether it is usable, and what to do where it is not.

    `required` is False for what only some commands need; `needed_for` tells which.
    """

    name: str
    ok: bool
    needed_for: str
    required: bool = True
    version: str | None = None
    path: Path | None = None
    remedy: str | None = None
    details: tuple[str, ...] = ()


def diagnose() -> tuple[Finding, ...]:
    """Probe every tool, all at the same time."""
    probes: list[Callable[[], list[Finding]]] = [
        _python,
        _cross_compiler,
        _qemu,
        lambda: [_program("renode", "--emulator renode", GET_RENODE, required=False)],
        _build_systems,
        lambda: [_program("cmake", "builds with CMake", APT_CMAKE, required=False)],
        lambda: [_program("ninja", "builds with CMake", APT_CMAKE, required=False)],
        lambda: [
            _program("gcc", "running the model on this computer", APT_HOST_GCC, required=False)
        ],
        _references,
        _tflm,
        _environments,
    ]
    with ThreadPoolExecutor(len(probes)) as pool:
        results = list(pool.map(lambda probe: probe(), probes))
    return tuple(finding for findings in results for finding in findings)


def _python() -> list[Finding]:
    minimum = ".".join(map(str, MINIMUM_PYTHON))
    ok = sys.version_info >= MINIMUM_PYTHON
    return [
        Finding(
            "python",
            ok,
            "everything",
            version=".".join(map(str, sys.version_info[:3])),
            path=Path(sys.executable),
            remedy=None if ok else f"install Python {minimum} or later",
        )
    ]


def _environments() -> list[Finding]:
    """The Pythons with heavy libraries, which are made on first use."""
    findings = []
    for environment in ENVIRONMENTS.values():
        name, use = f"Python with {environment.modules[0]}", environment.needed_for
        try:
            found = find_environment(environment)
        except ToolMissingError as error:
            findings.append(Finding(name, False, use, required=False, remedy=error.message))
            continue
        remedy = (
            f"made on first use with --yes ({environment.disk_gb} GB), or set "
            f"{environment.variable} to a Python that has it"
        )
        findings.append(
            Finding(
                name,
                found is not None,
                use,
                required=False,
                version=_version_there(found.python, environment.modules[0]) if found else None,
                path=found.python if found else None,
                remedy=None if found else remedy,
                details=(found.origin,) if found else (),
            )
        )
    return findings


def _version_there(python: Path, module: str) -> str:
    """The version of a package in another Python, without importing it."""
    code = f"from importlib.metadata import version; print(version('{module}'))"
    return _output(python, "-c", code).strip() or "unknown"


def _cross_compiler() -> list[Finding]:
    try:
        compiler: Compiler | None = find_compiler()
    except ToolMissingError:
        compiler = None
    use = "building firmware"
    gcc = compiler.version if compiler else ""
    newlib = compiler.c_library if compiler else None
    cxx = compiler is not None and compiler.cxx_library
    return [
        Finding(
            DEFAULT,
            gcc != "",
            use,
            version=gcc or None,
            path=compiler.program if compiler else None,
            remedy=None if gcc else APT_COMPILER,
        ),
        Finding(
            "newlib for arm-none-eabi",
            newlib is not None,
            use,
            version=newlib,
            remedy=None if newlib else "sudo apt-get install libnewlib-arm-none-eabi",
        ),
        Finding(
            "libstdc++ for arm-none-eabi",
            cxx,
            "engine tflm, C++ in your own code",
            required=False,
            version=(gcc or None) if cxx else None,
            remedy=None if cxx else APT_CXX,
        ),
    ]


def _qemu() -> list[Finding]:
    found = _program("qemu-system-arm", "running firmware in the emulator", APT_QEMU)
    if not found.ok or found.path is None:
        return [found]
    known = {line.split()[0] for line in _output(found.path, "-machine", "help").splitlines()[1:]}
    machines = {
        board.id: board.emulator.machine
        for board in load_boards().values()
        if board.emulator is not None and board.emulator.kind == "qemu"
    }
    missing = [
        f"{machine} (board {board})" for board, machine in machines.items() if machine not in known
    ]
    return [
        found,
        Finding(
            "QEMU machines",
            not missing,
            "the emulated boards",
            version=f"{len(machines) - len(missing)} of {len(machines)}",
            remedy="install a QEMU that knows these machines (7.2 does)" if missing else None,
            details=tuple(f"this QEMU does not know {name}" for name in missing),
        ),
    ]


def _build_systems() -> list[Finding]:
    return [
        _package("platformio", "PlatformIO", "builds with PlatformIO"),
        _package("scons", "SCons", "builds with PlatformIO"),
    ]


def _references() -> list[Finding]:
    return [
        _package("tflite-micro", "tflite-micro", "comparing with the reference"),
        _package("ai-edge-litert", "ai-edge-litert", "reading models"),
    ]


def _tflm() -> list[Finding]:
    try:
        directory = named_directory()
        cause, remedy = f"{VARIABLE} is not set", "docs/tflm.md tells where it comes from"
        flatbuffers = check_headers(directory) if directory is not None else None
        cores = sorted(libraries_in(directory)) if directory is not None else []
    except TinymlError as error:
        directory, flatbuffers, cores = None, None, []
        cause, remedy = error.message, error.hint or ""
    if flatbuffers and not cores:
        cause, remedy = f"{directory}: no {LIBRARY} in it", f"put it into lib/<core>/{LIBRARY}"
    ok = bool(flatbuffers and cores)
    return [
        Finding(
            "TensorFlow Lite Micro",
            ok,
            "engine tflm",
            required=False,
            version=f"flatbuffers {flatbuffers}" if ok else None,
            path=directory,
            remedy=None if ok else f"{cause}: {remedy}",
            details=tuple(f"library for {core or 'any core'}" for core in cores),
        )
    ]


def _package(distribution: str, name: str, needed_for: str) -> Finding:
    try:
        found: str | None = version(distribution)
    except PackageNotFoundError:
        found = None
    remedy = None if found else f"{sys.executable} -m pip install {distribution}"
    return Finding(name, found is not None, needed_for, version=found, remedy=remedy)


def _program(name: str, needed_for: str, remedy: str, *, required: bool = True) -> Finding:
    path = find_program(name)
    found = _VERSION.search(_output(path, "--version")) if path else None
    return Finding(
        name,
        found is not None,
        needed_for,
        required=required,
        version=found.group() if found else None,
        path=path,
        remedy=None if found else remedy,
    )


def _output(program: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout if result.returncode == 0 else ""
