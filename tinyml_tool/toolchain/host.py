"""Compile a generated model for this computer, to run the very same C without a device."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tinyml_tool.errors import BuildError, ToolMissingError
from tinyml_tool.firmware.templates import source

WARNINGS = (
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wundef",
    "-Wdouble-promotion",
    "-Wcast-align",
)
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


def build_host_program(
    sources: Mapping[str, str], directory: Path, *, sanitize: bool = False
) -> Path:
    """Compile `sources` (as `firmware.model_sources` returns them) into a program.

    The program speaks the record stream of `firmware_templates/runtime/host_main.c`; run it with
    `devices.host.HostModel`.  `sanitize` adds the address and undefined-behaviour sanitizers.
    Raises ToolMissingError without a host compiler, BuildError with its messages.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise ToolMissingError("no C compiler for this computer", hint="sudo apt-get install gcc")
    files = {**sources, "main.c": source("runtime/host_main.c")}
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    program = directory / "model"
    command = [compiler, "-std=c11", "-O1", "-ffp-contract=off", *WARNINGS, "-Werror"]
    command += SANITIZERS if sanitize else ()
    command += ["-DMODEL_OBSERVER=1", "-Ilib/model", "-Ilib/kernels"]
    command += [*(name for name in files if name.endswith(".c")), "-o", program.name]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BuildError(
            "the generated C does not compile on this computer",
            details=result.stderr.splitlines()[:20],
        )
    return program
