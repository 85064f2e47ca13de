"""Projects of real boards: what is rendered for each, and what PlatformIO makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from board_project import DIGITS, REAL_BOARDS, files_of, write_files
from platformio.project.config import ProjectConfig

from tinyml_tool.boards import emulated_board, emulated_boards, load_board
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.target import Target
from tinyml_tool.firmware.project import project_files
from tinyml_tool.graph.reader import read_model

each_board = pytest.mark.parametrize("name", REAL_BOARDS)


@pytest.fixture
def in_project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The project of the board that the test is about, as the current folder."""
    project = write_files(tmp_path / "project", files_of(request.getfixturevalue("name")))
    before = Path.cwd()
    os.chdir(project)
    yield project
    os.chdir(before)


def environments(name: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read_string(files_of(name)["platformio.ini"].decode())
    return parser


@each_board
def test_platformio_finds_no_fault_in_the_configuration(name: str, in_project: Path) -> None:
    found = ProjectConfig.lint(str(in_project / "platformio.ini"))
    assert found == {"errors": [], "warnings": []}


@pytest.mark.parametrize("name", ["sparkfun_edge"])
def test_the_command_of_platformio_says_so_too(name: str, in_project: Path) -> None:
    command = [sys.executable, "-m", "platformio", "project", "config", "--lint"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "free from linting errors" in result.stdout


@each_board
def test_the_emulated_environment_is_the_default_and_the_real_one_stands_beside_it(
    name: str,
) -> None:
    ini = environments(name)
    board = load_board(name)
    emulated = emulated_board(board).id
    assert ini["platformio"]["default_envs"] == emulated
    assert set(ini.sections()) >= {f"env:{emulated}", f"env:{name}", "env:minimal"}
    real = ini[f"env:{name}"]
    assert real["platform"] == board.platformio.package
    assert (real["board"], real["framework"]) == (board.platformio.board, "arduino")
    assert real["upload_protocol"] == board.upload.protocol


@each_board
def test_only_the_emulated_environments_use_the_platform_of_the_project(name: str) -> None:
    ini = environments(name)
    users = {section for section in ini.sections() if "symlink" in ini[section].get("platform", "")}
    assert users == {"emulated"}
    extending = {s for s in ini.sections() if ini[s].get("extends") == "emulated"}
    assert f"env:{name}" not in extending


@each_board
def test_each_environment_builds_one_port(name: str) -> None:
    ini = environments(name)
    ports = ["port", "port_renode"][: len(emulated_boards(load_board(name)))]
    assert ini["emulated"]["lib_ignore"] == ", ".join([*ports, "port_arduino"])
    assert ini[f"env:{name}"]["lib_ignore"] == ", ".join(ports)
    folders = {path.split("/")[1] for path in files_of(name) if path.startswith("lib/port")}
    assert folders == {*ports, "port_arduino"}


@each_board
def test_a_framework_may_neither_fuse_nor_reorder_floating_point(name: str) -> None:
    real = environments(name)[f"env:{name}"]
    assert {"-ffp-contract=off", "-fno-fast-math"} <= set(real["build_flags"].split())
    assert "-Ofast" in real["build_unflags"].split()


@each_board
def test_the_same_board_gives_the_same_bytes(name: str) -> None:
    board = load_board(name)
    graph = read_model(DIGITS)
    plan = compile_graph(graph, Target(board.core))
    again = project_files(plan, board, name="digits", model=DIGITS.read_bytes())
    assert again == files_of(name)


def test_projects_of_boards_differ_only_where_the_boards_do() -> None:
    shared = ("src/", "lib/model/", "lib/kernels/", "lib/port/", "minimal/", "platforms/")
    nucleo, feather = (files_of(name) for name in ("nucleo_l4r5zi", "feather_nrf52840"))
    for path in nucleo:
        if path.startswith(shared):
            assert nucleo[path] == feather[path], path


@each_board
def test_an_emulated_build_says_that_it_is_not_the_board(name: str) -> None:
    header = files_of(name)["lib/link/tinyml_link_config.h"].decode()
    real, emulated = header.split("#ifdef ARDUINO")[1].split("#else", maxsplit=1)
    assert f'TINYML_BOARD "{name}"' in real
    for board in emulated_boards(load_board(name)):
        assert f'TINYML_BOARD "{board.id}"' in emulated


@each_board
def test_the_manifest_names_the_real_board_and_the_presets_the_emulated_one(name: str) -> None:
    files = files_of(name)
    assert json.loads(files["manifest.json"])["board"] == name
    presets = [
        preset["name"] for preset in json.loads(files["CMakePresets.json"])["configurePresets"]
    ]
    assert presets == [board.id for board in emulated_boards(load_board(name))]


@each_board
def test_the_readme_tells_what_to_type_and_what_to_plug_in(name: str) -> None:
    readme = files_of(name)["README.md"].decode()
    board = load_board(name)
    assert board.arduino is not None
    assert board.arduino.wire in readme
    assert f"pio run -e {name} -t upload" in readme


@pytest.mark.parametrize("name", ["qemu-m4", "netduinoplus2"])
def test_a_project_of_an_emulated_board_has_nothing_of_arduino_in_it(name: str) -> None:
    files = files_of(name)
    assert "src/main.cpp" not in files
    assert not [path for path in files if "port_arduino" in path]
    assert "arduino" not in files["platformio.ini"].decode()
