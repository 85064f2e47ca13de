"""Building a generated project with CMake and Ninja."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from tinyml_tool.boards import Board
from tinyml_tool.errors import ToolMissingError
from tinyml_tool.toolchain.build_log import failure
from tinyml_tool.toolchain.compilers import Compiler
from tinyml_tool.toolchain.programs import build_environment, find_program, run_logged

APT = "sudo apt-get install cmake ninja-build"


def require_cmake() -> tuple[Path, Path]:
    """The programs cmake and ninja.  Raises ToolMissingError where one is not installed."""
    cmake, ninja = find_program("cmake"), find_program("ninja")
    if cmake is None or ninja is None:
        missing = " and ".join(n for n, p in (("cmake", cmake), ("ninja", ninja)) if p is None)
        raise ToolMissingError(
            f"{missing} not found (not on PATH)", hint=f"on Debian or Ubuntu: {APT}"
        )
    return cmake, ninja


def build(
    project: Path,
    board: Board,
    *,
    program: str,
    compiler: Compiler,
    variables: Mapping[str, str],
    progress: Callable[[str], None],
    time_limit: float,
) -> Path:
    """Configure and build preset `board.id` in `project`; return the ELF file.

    `program` is "firmware" or "minimal".
    """
    cmake, ninja = require_cmake()
    environment = {**build_environment(compiler.program, cmake, ninja), **variables}
    preset = board.id if program == "firmware" else program
    commands: dict[str, list[str | Path]] = {
        "configure": [cmake, "--preset", board.id],
        "build": [cmake, "--build", "--preset", preset],
    }
    _forget_another_place(project, project / "build" / board.id)
    progress(f"building {program} with CMake")
    for step, command in commands.items():
        log = project / "build" / f"{step}.log"
        finished = run_logged(
            command, directory=project, environment=environment, log=log, time_limit=time_limit
        )
        if finished.status != 0:
            raise failure(finished.output, board, project, log)
    elf = project / "build" / board.id / f"{program}.elf"
    if not elf.is_file():
        raise failure(finished.output, board, project, log)
    return elf


def _forget_another_place(project: Path, folder: Path) -> None:
    """Remove build results that were copied or moved with the project: CMake refuses them."""
    try:
        cache = (folder / "CMakeCache.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if f"CMAKE_HOME_DIRECTORY:INTERNAL={project}\n" not in cache:
        shutil.rmtree(folder, ignore_errors=True)
