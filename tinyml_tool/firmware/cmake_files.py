"""The CMake side of a project: lists, flags, toolchain file and one preset a board."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from tinyml_tool.boards import Board, emulated_boards
from tinyml_tool.compiler.tflm_release import TflmRelease
from tinyml_tool.firmware import build_flags
from tinyml_tool.firmware.port_sources import PORT_FOLDER, RENODE_PORT_FOLDER
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.firmware.tflm_core import tflm_core_name

_FLAGS = "cmake/flags.cmake"
_RENODE_FLAGS = "cmake/flags_renode.cmake"


def cmake_files(
    board: Board, *, name: str, model_name: str, release: TflmRelease | None = None
) -> dict[str, str]:
    """Relative path to text of everything `cmake --preset <board>` needs: emulated boards only.

    With the `release` of a TFLM the project has C++ and links that; otherwise it is C only.
    """
    emulated, *second = emulated_boards(board)
    command = build_flags.qemu_command(emulated)
    tflm_core = tflm_core_name(emulated.core) if release is not None else None
    tflm = {"cmake/tflm.cmake": render("cmake/tflm.cmake.j2", core=tflm_core)} if tflm_core else {}
    return {
        **tflm,
        "CMakeLists.txt": render(
            "cmake/CMakeLists.txt.j2",
            board=emulated,
            second=second[0] if second else None,
            second_flags=_RENODE_FLAGS,
            name=name,
            model_name=model_name,
            cmake_name=re.sub(r"[^A-Za-z0-9_.+-]", "_", name),
            qemu_command=command,
            tflm_core=tflm_core,
        ),
        "CMakePresets.json": _presets(emulated, second, qemu=bool(command)),
        "cmake/arm-none-eabi-gcc.cmake": source("cmake/arm-none-eabi-gcc.cmake"),
        _FLAGS: _flags(emulated, PORT_FOLDER, cxx=tflm_core is not None),
        **(
            {_RENODE_FLAGS: _flags(second[0], RENODE_PORT_FOLDER, cxx=tflm_core is not None)}
            if second
            else {}
        ),
    }


def _flags(board: Board, port: str, *, cxx: bool) -> str:
    return render(
        "cmake/flags.cmake.j2",
        board=board,
        port=port,
        core_flags=board.core.gcc_flags,
        compile_flags=build_flags.COMPILE_FLAGS,
        warning_flags=build_flags.WARNING_FLAGS,
        c_flags=build_flags.C_WARNING_FLAGS,
        cxx_flags=build_flags.CXX_FLAGS[1:] if cxx else (),
        link_flags=build_flags.LINK_FLAGS,
        app_defines=build_flags.application_defines(board),
        minimal_defines=build_flags.MINIMAL_DEFINES,
        linker_script=build_flags.LINKER_SCRIPT,
    )


def _presets(board: Board, second: Sequence[Board], *, qemu: bool) -> str:
    builds = {board.id: (board, "firmware"), "minimal": (board, "minimal")}
    if qemu:
        builds["qemu"] = (board, "qemu")
    builds |= {each.id: (each, "firmware") for each in second}
    presets = {
        "version": 3,
        "cmakeMinimumRequired": {"major": 3, "minor": 21, "patch": 0},
        "configurePresets": [
            {
                "name": each.id,
                "displayName": each.name,
                "generator": "Ninja",
                "binaryDir": "${sourceDir}/build/${presetName}",
                "toolchainFile": "${sourceDir}/cmake/arm-none-eabi-gcc.cmake",
                **({"cacheVariables": {"FLAGS": _RENODE_FLAGS}} if each in second else {}),
            }
            for each in (board, *second)
        ],
        "buildPresets": [
            {"name": preset, "configurePreset": each.id, "targets": [target]}
            for preset, (each, target) in builds.items()
        ],
    }
    return json.dumps(presets, indent=2) + "\n"
