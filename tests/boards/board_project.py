"""Projects of real boards, and compilers for what they consist of."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tinyml_tool.boards import Board, load_board, load_boards
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.target import Target
from tinyml_tool.firmware.project import project_files
from tinyml_tool.graph.reader import read_model

HERE = Path(__file__).parent
STAND_IN = HERE / "stand_in"
DIGITS = HERE.parents[1] / "examples" / "digits" / "digits.tflite"

REAL_BOARDS = sorted(board.id for board in load_boards().values() if board.is_real)

DEFINES = ("-DARDUINO=10819", "-DTINYML_SEMIHOSTING=0", "-DMODEL_OBSERVER=1")
WARNINGS = ("-Wall", "-Wextra", "-Werror")
_FAMILIES = {"stm32": "-DARDUINO_ARCH_STM32", "esp32": "-DARDUINO_ARCH_ESP32"}


@cache
def files_of(board: str) -> Mapping[str, bytes]:
    """The project of the digits model for a board."""
    graph = read_model(DIGITS)
    chosen = load_board(board)
    return project_files(
        compile_graph(graph, Target(chosen.core)), chosen, name="digits", model=DIGITS.read_bytes()
    )


def write_files(directory: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def sources_of(files: Mapping[str, bytes]) -> list[str]:
    """What PlatformIO compiles for the real board: all but the port of the emulated one."""
    folders = ("src/", "lib/model/", "lib/link/", "lib/port_arduino/")
    return [name for name in files if name.startswith(folders) and name.endswith((".c", ".cpp"))]


def framework_define(board: Board) -> str:
    assert board.arduino is not None
    if board.arduino.loop_stack_bytes and board.arduino.chip == "nrf52":
        return "-DARDUINO_NRF52_ADAFRUIT"
    return _FAMILIES.get(board.arduino.chip, "-DARDUINO_ARCH_OTHER")


def compile_files(
    project: Path, names: Sequence[str], board: Board, *, prefix: str, options: Sequence[str]
) -> list[Path]:
    """Compile `names` in `project` with the C and C++ compilers of `prefix`, warnings as errors.

    The language standards are the oldest that a supported framework uses.
    """
    folders = [path for path in sorted(project.glob("lib/*")) if path.is_dir()]
    libraries = [f"-I{folder}" for folder in folders if folder.name != "port"]
    common = [f"-I{STAND_IN}", f"-I{project / 'src'}", *libraries, *DEFINES, *WARNINGS, "-O1"]
    common += [framework_define(board), *options]
    for ending, compiler, standard in (
        (".c", f"{prefix}gcc", "-std=gnu11"),
        (".cpp", f"{prefix}g++", "-std=gnu++11"),
    ):
        chosen = [str(project / name) for name in names if name.endswith(ending)]
        objects = project / f"objects{ending}"
        objects.mkdir(exist_ok=True)
        run([compiler, standard, *common, "-c", *chosen], objects)
    return sorted(project.glob("objects.*/*.o"))


def run(command: Sequence[str], directory: Path) -> str:
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stderr}"
    return result.stdout
