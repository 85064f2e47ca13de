"""Cross compilers.  To everyone above they are the same kind of thing: name, place, version."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinyml_tool.errors import ToolMissingError
from tinyml_tool.toolchain.programs import find_program

DEFAULT = "arm-none-eabi-gcc"
APT_COMPILER = "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"
APT_CXX = "sudo apt-get install libstdc++-arm-none-eabi-newlib"

_SECONDS = 5.0


@dataclass(frozen=True)
class Compiler:
    """A cross compiler that generated projects can be built with."""

    name: str
    program: Path

    @cached_property
    def version(self) -> str:
        """What the compiler says it is, such as 12.2.1; empty when it says nothing."""
        return self._ask("-dumpfullversion")

    @cached_property
    def c_library(self) -> str | None:
        """Version of newlib for this compiler, or None where it is not installed."""
        header = self._preprocess("#include <_newlib_version.h>\n_NEWLIB_VERSION\n")
        found = re.search(r'^"([^"]+)"', header, re.MULTILINE)
        return found.group(1) if found else None

    @cached_property
    def cxx_library(self) -> bool:
        """Whether the C++ standard library for this compiler is installed."""
        place = self._ask("-print-file-name=libstdc++.a")
        return place != "" and Path(place).is_absolute() and Path(place).is_file()

    def _ask(self, question: str) -> str:
        return self._run([question], "").strip()

    def _preprocess(self, source: str) -> str:
        return self._run(["-E", "-P", "-x", "c", "-"], source)

    def _run(self, arguments: list[str], text: str) -> str:
        try:
            result = subprocess.run(
                [str(self.program), *arguments],
                input=text,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return result.stdout if result.returncode == 0 else ""


def _find_arm_gcc() -> Compiler:
    program = find_program(DEFAULT)
    if program is None:
        raise ToolMissingError(
            f"the cross compiler {DEFAULT} is not installed (not on PATH)",
            hint=f"on Debian or Ubuntu: {APT_COMPILER}",
        )
    return Compiler(DEFAULT, program)


COMPILERS: dict[str, Callable[[], Compiler]] = {DEFAULT: _find_arm_gcc}


def find_compiler(name: str = DEFAULT) -> Compiler:
    """The compiler `name`, one of COMPILERS.  Raises ToolMissingError where it is not installed."""
    return COMPILERS[name]()
