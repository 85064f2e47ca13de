"""The files of a project that meet the Arduino framework of a real board."""

from __future__ import annotations

from tinyml_tool.boards import Board
from tinyml_tool.firmware.templates import render, source

FOLDER = "lib/port_arduino"
MAIN = "src/main.cpp"


def arduino_files(board: Board) -> dict[str, str]:
    """Relative path to text: the port and setup() and loop(); none for an emulated board."""
    if board.arduino is None:
        return {}
    files = {MAIN: source("app/main.cpp"), f"{FOLDER}/port.h": source("port/port.h")}
    for name in arduino_sources(board):
        path = f"port_arduino/{name}"
        text = render(path, board=board) if name.endswith(".j2") else source(path)
        files[f"{FOLDER}/{name.removesuffix('.j2')}"] = text
    return files


def arduino_sources(board: Board) -> tuple[str, ...]:
    """Names of the files that make up the port of a real board, sorted, below `port_arduino/`."""
    assert board.arduino is not None, f"{board.id} has no [arduino]"
    names = [
        f"chip_{board.arduino.chip}.cpp",
        "drivers.h",
        "port_arduino.cpp",
        "port_config.h.j2",
        "port_serial.h.j2",
        "spin.c",
        "stack.cpp",
        "timer.cpp",
    ]
    if board.core.is_arm:
        names.append("restart_cortex_m.h")
    if board.timer.driver == "dwt":
        names.append("cycle_counter.h")
    return tuple(sorted(names))
