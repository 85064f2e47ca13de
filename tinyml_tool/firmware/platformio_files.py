"""The PlatformIO side of a project: `platformio.ini` and a platform that needs no registry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from tinyml_tool.boards import Board, emulated_boards
from tinyml_tool.compiler.tflm_release import TflmRelease
from tinyml_tool.errors import ConfigError
from tinyml_tool.firmware import build_flags
from tinyml_tool.firmware.port_sources import PORT_FOLDER, RENODE_PORT_FOLDER
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.firmware.tflm_core import tflm_core_name

TFLM_SCRIPT = "platforms/tflm.py"

_NAME = re.compile(r"[a-z][a-z0-9_-]*")

_TFLM_FLAGS = ("-std=gnu++17", "-DTF_LITE_STATIC_MEMORY")
_TFLM_UNFLAGS = ("-std=gnu++11", "-std=gnu++14")


def platform_class(platform: str) -> str:
    """The name of the class PlatformIO looks for in the platform's `platform.py`.

    >>> platform_class("tinyml-emulated")
    'TinymlemulatedPlatform'
    """
    return re.sub(r"[^0-9a-z_]+", "", platform).capitalize() + "Platform"


def platformio_files(
    board: Board,
    *,
    name: str,
    model_name: str,
    release: TflmRelease | None = None,
    libraries: Sequence[str] = (),
) -> dict[str, str]:
    """Relative path to text: the emulated environments, and the one of a real `board`.

    `release` is the TFLM of the real board's environment, None where the engine needs none;
    `libraries` are further ones of PlatformIO's registry that this environment needs.
    Raises ConfigError where the PlatformIO ids of the emulated boards are no names.
    """
    emulated, *second = emulated_boards(board)
    for each in (emulated, *second):
        _check_names(each)
    platform = emulated.platformio.platform
    ports = {PORT_FOLDER: emulated, **({RENODE_PORT_FOLDER: second[0]} if second else {})}
    values: dict[str, Any] = {
        "board": emulated,
        "second": second[0] if second else None,
        "ports": list(ports) + ["port_arduino"] * board.is_real,
        "real": board if board.is_real else None,
        "real_lines": _real_environment(board, release, libraries),
        "tflm_core": tflm_core_name(emulated.core) if release is not None else None,
        "tflm_script": TFLM_SCRIPT,
        "name": name,
        "model_name": model_name,
        "platform_name": platform,
        "platform_class": platform_class(platform),
        "warning_flags": build_flags.WARNING_FLAGS,
        "app_defines": _defines(build_flags.application_defines(emulated)),
        "second_defines": _defines(build_flags.application_defines(second[0])) if second else [],
        "minimal_defines": _defines(build_flags.MINIMAL_DEFINES),
    }
    folder = f"platforms/{platform}"
    tflm = {TFLM_SCRIPT: source("platformio/tflm.py")} if release is not None else {}
    return {
        **tflm,
        "platformio.ini": render("platformio/platformio.ini.j2", **values),
        f"{folder}/platform.json": render("platformio/platform/platform.json.j2", **values),
        f"{folder}/platform.py": render("platformio/platform/platform.py.j2", **values),
        f"{folder}/builder/main.py": source("platformio/platform/builder/main.py"),
        **{
            f"{folder}/boards/{each.platformio.board}.json": _board_json(each, port)
            for port, each in ports.items()
        },
    }


def _check_names(board: Board) -> None:
    ids = board.platformio
    for key, value in (("platform", ids.platform), ("board", ids.board)):
        if not _NAME.fullmatch(value):
            raise ConfigError(
                f"board '{board.id}': platformio.{key} = '{value}' must be a lower-case name",
                hint="use letters, digits, '-' and '_'",
            )


def _defines(defines: Iterable[str]) -> list[str]:
    return [f"-D{define}" for define in defines]


def _real_environment(
    board: Board, release: TflmRelease | None, libraries: Sequence[str]
) -> list[str]:
    """The lines of a real board's environment; none for other boards.

    All libraries but the emulated boards' ports are built; the one of `main()` is the framework's.
    """
    pio = board.platformio
    tflm = _tflm_options(board, release) if release is not None else {}
    flags, unflags = (_TFLM_FLAGS, _TFLM_UNFLAGS) if release is not None else ((), ())
    defines = [f"-D{define}" for define in build_flags.REAL_BOARD_DEFINES]
    lines = {
        "platform": pio.package,
        "board": pio.board,
        "framework": pio.framework,
        **pio.options,
        "upload_protocol": board.upload.protocol,
        "monitor_speed": str(board.uart.baud),
        "lib_ignore": "port" if board.renode_as is None else "port, port_renode",
        "lib_compat_mode": "strict",
        "build_unflags": " ".join([*build_flags.REAL_BOARD_UNFLAGS, *pio.build_unflags, *unflags]),
        "build_flags": " ".join(
            [*build_flags.REAL_BOARD_FLAGS, *defines, *pio.build_flags, *flags]
        ),
        "build_src_flags": " ".join(build_flags.REAL_BOARD_WARNINGS),
        **tflm,
    }
    if libraries:
        lines["lib_deps"] = ", ".join([*filter(None, [lines.get("lib_deps")]), *libraries])
    return [f"{key} = {value}" for key, value in lines.items()] if board.is_real else []


def _tflm_options(board: Board, release: TflmRelease) -> dict[str, str]:
    """What an environment needs to build with `release`.

    A library of the registry tells its platforms by Arduino's names, not by PlatformIO's, so only
    the framework is compared.
    """
    if release.package is None:
        return {
            "extra_scripts": f"pre:{TFLM_SCRIPT}",
            "custom_tflm_core": tflm_core_name(board.core),
        }
    return {"lib_deps": release.package, "lib_compat_mode": "soft"}


def _board_json(board: Board, port: str) -> str:
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
            "port": f"lib/{port}",
            "linker_script": f"lib/{port}/{build_flags.LINKER_SCRIPT}",
        },
        "upload": {
            "maximum_size": board.memory.flash.size,
            "maximum_ram_size": board.memory.ram.size,
        },
        "emulator": {"command": list(build_flags.qemu_command(board))},
    }
    return json.dumps(description, indent=2) + "\n"
