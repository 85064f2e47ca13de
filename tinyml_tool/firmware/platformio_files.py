"""The PlatformIO side of a project: `platformio.ini` and a platform that needs no registry."""

from __future__ import annotations

import json
import re
from typing import Any

from tinyml_tool.boards import Board
from tinyml_tool.errors import ConfigError
from tinyml_tool.firmware import build_flags
from tinyml_tool.firmware.templates import render, source

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def platform_class(platform: str) -> str:
    """The name of the class PlatformIO looks for in the platform's `platform.py`.

    >>> platform_class("tinyml-emulated")
    'TinymlemulatedPlatform'
    """
    return re.sub(r"[^0-9a-z_]+", "", platform).capitalize() + "Platform"


def platformio_files(board: Board, *, name: str, model_name: str) -> dict[str, str]:
    """Relative path to text.  Raises ConfigError where the board's PlatformIO ids are no names."""
    platform = board.platformio.platform
    for key, value in (("platform", platform), ("board", board.platformio.board)):
        if not _NAME.fullmatch(value):
            raise ConfigError(
                f"board '{board.id}': platformio.{key} = '{value}' must be a lower-case name",
                hint="use letters, digits, '-' and '_'",
            )
    values: dict[str, Any] = {
        "board": board,
        "name": name,
        "model_name": model_name,
        "platform_name": platform,
        "platform_class": platform_class(platform),
        "warning_flags": build_flags.WARNING_FLAGS,
        "app_defines": [f"-D{define}" for define in build_flags.application_defines(board)],
        "minimal_defines": [f"-D{define}" for define in build_flags.MINIMAL_DEFINES],
    }
    folder = f"platforms/{platform}"
    return {
        "platformio.ini": render("platformio/platformio.ini.j2", **values),
        f"{folder}/platform.json": render("platformio/platform/platform.json.j2", **values),
        f"{folder}/platform.py": render("platformio/platform/platform.py.j2", **values),
        f"{folder}/builder/main.py": source("platformio/platform/builder/main.py"),
        f"{folder}/boards/{board.platformio.board}.json": _board_json(board),
    }


def _board_json(board: Board) -> str:
    core = board.core
    description = {
        "name": board.name,
        "vendor": "Arm",
        "url": "",
        "frameworks": [],
        "build": {
            "mcu": core.name,
            "cpu": core.name,
            "f_cpu": f"{board.clock_hz}L",
            "core_flags": list(core.gcc_flags),
            "compile_flags": list(build_flags.COMPILE_FLAGS),
            "c_flags": [*build_flags.C_FLAGS, *build_flags.C_WARNING_FLAGS],
            "cxx_flags": list(build_flags.CXX_FLAGS),
            "link_flags": list(build_flags.LINK_FLAGS),
            "linker_script": build_flags.LINKER_SCRIPT,
        },
        "upload": {
            "maximum_size": board.memory.flash.size,
            "maximum_ram_size": board.memory.ram.size,
        },
        "emulator": {"command": list(build_flags.qemu_command(board))},
    }
    return json.dumps(description, indent=2) + "\n"
