"""The CMake side of a project: lists, flags, toolchain file and one preset a board."""

from __future__ import annotations

import json
import re

from tinyml_tool.boards import Board
from tinyml_tool.compiler.tflm_release import TflmRelease
from tinyml_tool.firmware import build_flags
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.firmware.tflm_core import tflm_core_name


def cmake_files(
    board: Board, *, name: str, model_name: str, release: TflmRelease | None = None
) -> dict[str, str]:
    """Relative path to text of everything `cmake --preset <board>` needs.

    With the `release` of a TFLM the project has C++ and links that; otherwise it is C only.
    """
    command = build_flags.qemu_command(board)
    tflm_core = tflm_core_name(board.core) if release is not None else None
    tflm = {"cmake/tflm.cmake": render("cmake/tflm.cmake.j2", core=tflm_core)} if tflm_core else {}
    return {
        **tflm,
        "CMakeLists.txt": render(
            "cmake/CMakeLists.txt.j2",
            board=board,
            name=name,
            model_name=model_name,
            cmake_name=re.sub(r"[^A-Za-z0-9_.+-]", "_", name),
            qemu_command=command,
            tflm_core=tflm_core,
        ),
        "CMakePresets.json": _presets(board, emulated=bool(command)),
        "cmake/arm-none-eabi-gcc.cmake": source("cmake/arm-none-eabi-gcc.cmake"),
        "cmake/flags.cmake": render(
            "cmake/flags.cmake.j2",
            board=board,
            core_flags=board.core.gcc_flags,
            compile_flags=build_flags.COMPILE_FLAGS,
            warning_flags=build_flags.WARNING_FLAGS,
            c_flags=build_flags.C_WARNING_FLAGS,
            cxx_flags=build_flags.CXX_FLAGS[1:] if tflm_core else (),
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
