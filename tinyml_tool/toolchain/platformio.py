"""Building a generated project with PlatformIO, from the same Python environment, offline."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tinyml_tool.boards import Board
from tinyml_tool.errors import ToolMissingError
from tinyml_tool.toolchain.build_log import failure
from tinyml_tool.toolchain.compilers import Compiler
from tinyml_tool.toolchain.programs import build_environment, run_logged
from tinyml_tool.toolchain.registry import require_platform

LOG = ".pio/build.log"
_KEPT = ("PLATFORMIO_BUILD_FLAGS",)


def require_platformio() -> None:
    """Raise ToolMissingError unless PlatformIO and SCons are in this Python environment."""
    missing = [name for name in ("platformio", "SCons") if importlib.util.find_spec(name) is None]
    if missing:
        raise ToolMissingError(
            f"{' and '.join(missing)} not found in this Python environment",
            hint=f"{sys.executable} -m pip install platformio scons",
        )


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
    """Run `pio run` in `project` and return the ELF file.

    `program` is "firmware" or "minimal".  PlatformIO keeps everything under the project's `.pio`,
    so builds of different projects may run at the same time.
    """
    require_platformio()
    require_platform(project, board, core_folder(project))
    name = board.id if program == "firmware" else program
    log = project / LOG
    progress(f"building {program} with PlatformIO")
    finished = run_logged(
        [sys.executable, "-P", "-m", "platformio", "run", "--environment", name],
        directory=project,
        environment={**platformio_environment(project, compiler.program), **variables},
        log=log,
        time_limit=time_limit,
    )
    elf = project / ".pio" / "build" / name / "firmware.elf"
    if finished.status != 0 or not elf.is_file():
        raise failure(finished.output, board, project, log)
    return elf


def core_folder(project: Path) -> Path:
    """Where PlatformIO keeps what it installs for `project`."""
    return project / ".pio" / "core"


def platformio_environment(project: Path, *programs: Path) -> dict[str, str]:
    """The environment in which PlatformIO runs, with the folders of `programs` on PATH."""
    environment = {
        key: value
        for key, value in build_environment(*programs).items()
        if not key.startswith("PLATFORMIO_") or key in _KEPT
    }
    return environment | {
        "PLATFORMIO_CORE_DIR": str(core_folder(project)),
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_NO_ANSI": "true",
    }
