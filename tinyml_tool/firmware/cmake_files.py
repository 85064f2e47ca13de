"""The CMake side of a project: lists, flags, toolchain file and one preset a board."""

from __future__ import annotations

import json
import re

from tinyml_tool.boards import Board
from tinyml_tool.firmware import build_flags
from tinyml_tool.firmware.templates import render, source


def cmake_files(board: Board, *, name: str, model_name: str) -> dict[str, str]:
    """Relative path to text of everything `cmake --preset <board>` needs."""
    command = build_flags.qemu_command(board)
    return {
        "CMakeLists.txt": render(
            "cmake/CMakeLists.txt.j2",
            board=board,
            name=name,
            model_name=model_name,
            cmake_name=re.sub(r"[^A-Za-z0-9_.+-]", "_", name),
            qemu_command=command,
        ),
        "CMakePresets.json": _presets(board, emulated=bool(command)),
        "cmake/arm-none-eabi-gcc.cmake": source("cmake/arm-none-eabi-gcc.cmake"),
        "cmake/flags.cmake": render(
            "cmake/flags.cmake.j2",
            board=board,
            core_flags=board.core.gcc_flags,
            compile_flags=build_flags.COMPILE_FLAGS,
            warning_flags=(*build_flags.WARNING_FLAGS, *build_flags.C_WARNING_FLAGS),
            link_flags=build_flags.LINK_FLAGS,
            app_defines=build_flags.application_defines(board),
            minimal_defines=build_flags.MINIMAL_DEFINES,
            linker_script=build_flags.LINKER_SCRIPT,
        ),
    }


def _presets(board: Board, *, emulated: bool) -> str:
    targets = {board.id: "firmware", "minimal": "minimal"}
    if emulated:
        targets["qemu"] = "qemu"
    presets = {
        "version": 3,
        "cmakeMinimumRequired": {"major": 3, "minor": 21, "patch": 0},
        "configurePresets": [
            {
                "name": board.id,
                "displayName": board.name,
                "generator": "Ninja",
                "binaryDir": "${sourceDir}/build/${presetName}",
                "toolchainFile": "${sourceDir}/cmake/arm-none-eabi-gcc.cmake",
            }
        ],
        "buildPresets": [
            {"name": preset, "configurePreset": board.id, "targets": [target]}
            for preset, target in targets.items()
        ],
    }
    return json.dumps(presets, indent=2) + "\n"
