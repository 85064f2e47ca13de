"""Real builds of generated projects, through both build systems."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from project_case import small_plan, small_project

from tinyml_tool.boards import load_boards
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.project import project_files, write_project
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.toolchain.programs import find_program

SYSTEMS = ("platformio", "cmake")
EMULATED = {board.id for board in load_boards().values() if not board.is_real}
OTHER_BOARDS = sorted(EMULATED - {"qemu-m4"})


def memory_image(elf):
    """(address, content) of every part that is loaded into the board."""
    with elf.open("rb") as file:
        segments = ELFFile(file).iter_segments("PT_LOAD")
        return [(segment["p_paddr"], segment.data()) for segment in segments]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("program", ["firmware", "minimal"])
def test_a_project_builds(project, system, program):
    directory, board = project
    firmware = build_project(directory, board, system, program=program)
    assert firmware.elf.is_relative_to(directory)
    assert firmware.facts.arena_bytes == small_plan().memory.arena_bytes
    assert firmware.system == system


@pytest.mark.parametrize(("number", "board"), list(enumerate(OTHER_BOARDS)))
def test_every_other_board_builds_with_one_of_the_systems(tmp_path, number, board):
    directory, board = small_project(tmp_path / "project", board)
    firmware = build_project(directory, board, SYSTEMS[number % 2])
    vectors = next(s for s in firmware.facts.sections if s.name == ".vectors")
    assert vectors.address == board.memory.flash.origin


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_firmware_has_no_warnings(project, system, monkeypatch):
    directory, board = project
    monkeypatch.setenv("PLATFORMIO_BUILD_FLAGS", "-Werror")
    monkeypatch.setenv("CFLAGS", "-Werror")
    for program in ("firmware", "minimal"):
        build_project(directory, board, system, program=program)
    for log in directory.glob("*/*.log"):
        assert "warning" not in log.read_text().lower()


def test_minimal_is_smaller_than_the_firmware_and_has_no_link(project):
    directory, board = project
    minimal = build_project(directory, board, "cmake", program="minimal").facts
    firmware = build_project(directory, board, "cmake").facts
    assert minimal.flash_bytes < firmware.flash_bytes
    assert minimal.ram_bytes < firmware.ram_bytes
    assert not [s.name for s in minimal.symbols if s.name.startswith(("port_uart", "tinyml_link"))]


@pytest.mark.parametrize("system", SYSTEMS)
def test_two_folders_give_the_same_bytes(tmp_path, system):
    images = []
    for place in ("first", "it's a 2nd & (odd)/100%/ümläut"):
        directory, board = small_project(tmp_path / place)
        elf = build_project(directory, board, system).elf
        assert str(tmp_path).encode() not in elf.read_bytes()
        images.append(elf.read_bytes())
    assert images[0] == images[1]


def test_both_systems_put_the_same_functions_into_the_firmware(project):
    directory, board = project
    by_system = [
        {
            (symbol.name, symbol.bytes)
            for symbol in build_project(directory, board, system).facts.symbols
            if symbol.is_function and symbol.bytes
        }
        for system in SYSTEMS
    ]
    assert by_system[0] == by_system[1]


def test_a_second_build_keeps_the_firmware(project):
    directory, board = project
    first = build_project(directory, board).facts.sha256
    assert build_project(directory, board).facts.sha256 == first


def test_projects_built_at_the_same_time_do_not_disturb_each_other(tmp_path):
    boards = ("qemu-m4", "qemu-m0")
    projects = [small_project(tmp_path / name, name) for name in boards]
    with ThreadPoolExecutor(len(projects)) as pool:
        firmwares = list(pool.map(lambda project: build_project(*project), projects))
    for (directory, board), firmware in zip(projects, firmwares, strict=True):
        assert firmware.elf == directory / ".pio" / "build" / board.id / "firmware.elf"
        attributes = subprocess.run(
            ["arm-none-eabi-readelf", "-A", firmware.elf],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert ("v7E-M" if board.id == "qemu-m4" else "v6S-M") in attributes


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_copy_with_the_results_of_earlier_builds_builds_again(project, tmp_path, system):
    directory, board = project
    first = build_project(directory, board, system).facts.sha256
    shutil.copytree(directory, tmp_path / "copy", symlinks=True)
    shutil.rmtree(directory)
    second = build_project(tmp_path / "copy", board, system)
    assert second.elf.is_relative_to(tmp_path / "copy")
    assert second.facts.sha256 == first


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_board_that_nobody_emulates_builds_without_semihosting(tmp_path, system):
    board = load_boards()["qemu-m4"].model_copy(update={"emulator": None, "id": "my-board"})
    files = project_files(small_plan(), board, name="small")
    write_project(tmp_path / "project", files)
    facts = build_project(tmp_path / "project", board, system).facts
    assert facts.symbol("port_write") is not None
    assert facts.symbol("port_file_open") is None


def test_progress_is_told(project):
    directory, board = project
    told = []
    build_project(directory, board, "cmake", progress=told.append)
    assert told == ["building firmware with CMake"]


def test_a_project_for_another_board_is_refused(project):
    directory, _ = project
    with pytest.raises(InputError, match="was generated for board 'qemu-m4'"):
        build_project(directory, load_boards()["qemu-m7"])


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a generated project"):
        build_project(tmp_path, load_boards()["qemu-m4"])


WITHOUT_NETWORK = str(Path(__file__).parent / "without_network")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_first_build_is_quick_and_never_asks_the_network(project, tmp_path, monkeypatch, system):
    log = tmp_path / "network.log"
    monkeypatch.setenv("PYTHONPATH", WITHOUT_NETWORK)
    monkeypatch.setenv("NETWORK_LOG", str(log))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    firmware = build_project(*project, system)
    assert not log.exists(), log.read_text()
    assert firmware.seconds < 20
    assert not (tmp_path / "home").exists()


def test_the_network_guard_notices_a_look_up(tmp_path):
    environment = {"PYTHONPATH": WITHOUT_NETWORK, "NETWORK_LOG": str(tmp_path / "network.log")}
    code = "import urllib.request; urllib.request.urlopen('http://example.org')"
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False
    )
    assert result.returncode != 0
    assert (tmp_path / "network.log").read_text()


@pytest.fixture
def alone(project, tmp_path):
    """Runs a command in a copy of the project: no tool, no network, no settings of the user."""
    copy = tmp_path / "a copy"
    shutil.copytree(project[0], copy)
    shutil.rmtree(project[0])
    log = tmp_path / "network.log"
    home = tmp_path / "home"
    home.mkdir()
    path = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])

    def run(*command):
        result = subprocess.run(
            command,
            cwd=copy,
            env={
                "PATH": path,
                "HOME": str(home),
                "PYTHONPATH": WITHOUT_NETWORK,
                "NETWORK_LOG": str(log),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=20,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        assert not log.exists(), log.read_text()
        return result.stdout

    run.project = copy
    run.home = home
    return run


PIO = (sys.executable, "-m", "platformio")


def test_pio_run_builds_without_tool_network_or_traces_elsewhere(alone):
    alone(*PIO, "run")
    assert (alone.project / ".pio/build/qemu-m4/firmware.elf").is_file()
    assert list(alone.home.iterdir()) == []


def test_pio_asks_nobody_even_when_its_weekly_check_is_due(alone):
    alone(*PIO, "run")
    state = alone.project / ".pio/core/appstate.json"
    long_ago = {"last_check": {"platformio_upgrade": 1, "prune_system": 1}}
    state.write_text(json.dumps(json.loads(state.read_text()) | long_ago))
    alone(*PIO, "run")


def test_pio_size_and_compiledb_work(alone):
    assert ".vectors" in alone(*PIO, "run", "-t", "size")
    alone(*PIO, "run", "-t", "compiledb")
    assert "src/main.c" in (alone.project / "compile_commands.json").read_text()


def test_cmake_presets_build_without_tool_or_network(alone):
    cmake = str(find_program("cmake"))
    alone(cmake, "--preset", "qemu-m4")
    alone(cmake, "--build", "--preset", "qemu-m4")
    alone(cmake, "--build", "--preset", "minimal")
    assert (alone.project / "build/qemu-m4/firmware.elf").is_file()
    assert (alone.project / "build/qemu-m4/minimal.elf").is_file()


def test_code_that_the_user_adds_is_built(alone):
    (alone.project / "lib" / "sensor").mkdir()
    (alone.project / "lib" / "sensor" / "sensor.h").write_text("int sensor_read(void);\n")
    (alone.project / "lib" / "sensor" / "sensor.c").write_text(
        '#include "sensor.h"\n\nint sensor_read(void) { return 7; }\n'
    )
    (alone.project / "src" / "mine.c").write_text(
        '#include "sensor.h"\n\n__attribute__((used)) int (*const mine)(void) = sensor_read;\n'
    )
    alone(*PIO, "run")
    cmake = str(find_program("cmake"))
    alone(cmake, "--preset", "qemu-m4")
    alone(cmake, "--build", "--preset", "qemu-m4")
    for system in (".pio/build", "build"):
        objects = [path.name for path in (alone.project / system).rglob("*sensor*.o*")]
        assert objects, system
