"""A directory that looks like TFLM to whoever checks it: empty headers, and a tiny library."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyml_tool.boards import Core, load_board
from tinyml_tool.firmware.tflm_core import LIBRARY, tflm_core_name
from tinyml_tool.toolchain.programs import find_program

HEADERS = (
    "tensorflow/lite/micro/micro_interpreter.h",
    "tensorflow/lite/micro/micro_mutable_op_resolver.h",
)
SCHEMA = "tensorflow/lite/schema/schema_generated.h"
BASE = "third_party/flatbuffers/include/flatbuffers/base.h"


def versions(pattern: str, numbers: tuple[int, int, int]) -> str:
    names = ("MAJOR", "MINOR", "REVISION")
    return "\n".join(pattern.format(*pair) for pair in zip(names, numbers, strict=True))


def make_headers(
    folder: Path, has: tuple[int, int, int] = (25, 9, 23), needs: tuple[int, int, int] = (25, 9, 23)
) -> Path:
    for name in (*HEADERS, SCHEMA, BASE):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    (folder / BASE).write_text(versions("#define FLATBUFFERS_VERSION_{} {}", has))
    (folder / SCHEMA).write_text(
        f'static_assert({versions("FLATBUFFERS_VERSION_{} == {} &&", needs)} true, "");'
    )
    return folder


def make_library(
    file: Path, core: Core, source: str = "int MicroPrintf(void) { return 1; }\n"
) -> Path:
    """Compile `source`, which is none of TFLM's, into a library for `core`."""
    if find_program("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    file.parent.mkdir(parents=True, exist_ok=True)
    code, compiled = file.with_suffix(".c"), file.with_suffix(".o")
    code.write_text(source)
    command = ["arm-none-eabi-gcc", *core.gcc_flags, "-ffreestanding", "-c", code, "-o", compiled]
    subprocess.run(command, check=True)
    subprocess.run(["arm-none-eabi-ar", "rcs", file, compiled], check=True)
    code.unlink()
    compiled.unlink()
    return file


def make_directory(folder: Path, *boards: str) -> Path:
    """Headers, and a library for the core of each of `boards`."""
    make_headers(folder)
    for board in boards:
        core = load_board(board).core
        make_library(folder / "lib" / tflm_core_name(core) / LIBRARY, core)
    return folder
