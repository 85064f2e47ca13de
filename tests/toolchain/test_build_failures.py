"""Builds that fail: what the user is told, and that nothing keeps running."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project_case import small_model, small_plan, small_project

from tinyml_tool.boards import load_board
from tinyml_tool.errors import BuildError, DoesNotFitError, InputError, ToolMissingError
from tinyml_tool.firmware.project import project_files, write_project
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.toolchain.build_log import failure
from tinyml_tool.toolchain.compilers import find_compiler
from tinyml_tool.toolchain.programs import find_program, run_logged

SYSTEMS = ("platformio", "cmake")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_compile_error_is_shown_with_file_and_line(project, system):
    directory, board = project
    main = directory / "src" / "main.c"
    main.write_text("int main(void)\n{\n  return unknown_name;\n}\n")
    with pytest.raises(BuildError) as caught:
        build_project(directory, board, system)
    assert "src/main.c:3:10: error: 'unknown_name' undeclared" in caught.value.message
    assert str(directory) not in caught.value.message
    log = (caught.value.hint or "").removeprefix("the whole log is in ")
    assert "unknown_name" in Path(log).read_text()


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_undefined_function_is_named(project, system):
    directory, board = project
    main = directory / "src" / "main.c"
    main.write_text("int absent(void);\nint main(void) { return absent(); }\n")
    with pytest.raises(BuildError, match="undefined reference to `absent'"):
        build_project(directory, board, system)


@pytest.mark.parametrize("system", SYSTEMS)
def test_too_little_ram_is_told_with_the_numbers(project, system):
    directory, board = project
    ram = board.memory.ram.size
    (directory / "src" / "main.c").write_text(
        f"volatile char big[{ram}];\nint main(void) {{ return big[5]; }}\n"
    )
    with pytest.raises(DoesNotFitError) as caught:
        build_project(directory, board, system)
    assert f"has {ram:,}: " in caught.value.message
    assert "RAM: needs " in caught.value.message
    assert "bytes too many" in caught.value.message


def test_a_model_that_is_too_big_for_the_flash_is_told_with_the_numbers(tmp_path):
    board = load_board("qemu-m0")
    plan = small_plan("qemu-m0", small_model(512, 520))
    write_project(tmp_path / "project", project_files(plan, board, name="big"))
    with pytest.raises(DoesNotFitError, match=r"flash: needs .* has 262,144: .* bytes too many"):
        build_project(tmp_path / "project", board, "cmake")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_missing_compiler_is_told_with_the_command_that_installs_it(
    project, system, monkeypatch, tmp_path
):
    directory, board = project
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="arm-none-eabi-gcc is not installed") as caught:
        build_project(directory, board, system)
    assert "apt-get install gcc-arm-none-eabi" in (caught.value.hint or "")


COMMANDS = {
    "platformio": [sys.executable, "-m", "platformio", "run"],
    "cmake": [str(find_program("cmake")), "--preset", "qemu-m4"],
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_without_the_tool_a_missing_compiler_is_told_too(project, system, tmp_path):
    directory, board = project
    (tmp_path / "ninja").symlink_to(str(find_program("ninja")))
    result = subprocess.run(
        COMMANDS[system],
        cwd=directory,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    said = " ".join(result.stdout.split())
    assert "arm-none-eabi-gcc is not on PATH" in said
    assert "sudo apt install gcc-arm-none-eabi" in said
    assert isinstance(failure(result.stdout, board, directory, tmp_path), ToolMissingError)


def test_a_compiler_without_c_library_is_told_with_the_command_that_installs_it(
    project, monkeypatch
):
    directory, board = project
    monkeypatch.setenv("CFLAGS", "-nostdinc")
    with pytest.raises(ToolMissingError, match="newlib") as caught:
        build_project(directory, board, "cmake")
    assert "libnewlib-arm-none-eabi" in (caught.value.hint or "")


def test_a_missing_cmake_is_told_with_the_command_that_installs_it(project, monkeypatch):
    directory, board = project
    monkeypatch.setattr("tinyml_tool.toolchain.cmake.find_program", lambda _: None)
    with pytest.raises(ToolMissingError, match="cmake and ninja not found") as caught:
        build_project(directory, board, "cmake")
    assert "apt-get install cmake ninja-build" in (caught.value.hint or "")


def test_a_missing_platformio_is_told_with_the_command_that_installs_it(project, monkeypatch):
    directory, board = project
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ToolMissingError, match="platformio and SCons not found") as caught:
        build_project(directory, board, "platformio")
    assert "pip install platformio scons" in (caught.value.hint or "")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_project_that_cannot_be_written_to_is_told(project, system):
    directory, board = project
    for name in (".pio", "build"):
        (directory / name).write_text("a file where builds need a folder")
    with pytest.raises(BuildError, match="cannot be written"):
        build_project(directory, board, system)


def test_a_damaged_linker_script_is_told(project):
    directory, board = project
    (directory / "lib" / "port" / "link.ld").write_text("nonsense {")
    with pytest.raises(BuildError, match=r"the firmware does not build: .*link\.ld"):
        build_project(directory, board, "cmake")


def processes_of(marker):
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in lines.splitlines() if marker in line and "ps -eo" not in line]


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_a_build_that_takes_too_long_is_stopped_with_all_its_children(tmp_path):
    script = "sleep 3571 & sleep 3571"
    with pytest.raises(BuildError, match=r"did not end within 0\.5 s"):
        run_logged(
            ["sh", "-c", script],
            directory=tmp_path,
            environment=os.environ,
            log=tmp_path / "log",
            time_limit=0.5,
        )
    assert processes_of("sleep 3571") == []


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_ctrl_c_stops_a_build_with_all_its_children(tmp_path):
    code = (
        "import os, pathlib\n"
        "from tinyml_tool.toolchain.programs import find_program, run_logged\n"
        "here = pathlib.Path()\n"
        "run_logged(['sh', '-c', 'touch started; sleep 3572 & sleep 3572'], directory=here,\n"
        "           environment=os.environ, log=here / 'log', time_limit=60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 10
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in said
    assert processes_of("sleep 3572") == []


def test_a_program_that_cannot_start_is_told(tmp_path):
    with pytest.raises(BuildError, match="cannot start /absent/program"):
        run_logged(
            ["/absent/program"],
            directory=tmp_path,
            environment=os.environ,
            log=tmp_path / "log",
            time_limit=1,
        )


def test_the_compiler_tells_version_and_libraries():
    compiler = find_compiler()
    assert compiler.version.count(".") == 2
    assert compiler.c_library is not None
    assert compiler.cxx_library in (True, False)


def test_output_without_any_known_error_shows_its_last_lines(tmp_path):
    board = load_board("qemu-m4")
    error = failure("one\n\ntwo\n", board, tmp_path, tmp_path / "log")
    assert isinstance(error, BuildError)
    assert error.message == "the firmware does not build: two"
    assert error.details == ("one", "two")


def test_a_flag_the_compiler_does_not_know_is_told(project, monkeypatch):
    directory, board = project
    monkeypatch.setenv("CFLAGS", "-mnonsense")
    with pytest.raises(BuildError, match=r"unrecognized command-line option .-mnonsense"):
        build_project(directory, board, "cmake")


@pytest.mark.parametrize("place", ["a$b", "a;b"])
def test_a_path_that_build_systems_cannot_work_in_is_told(tmp_path, place):
    directory, board = small_project(tmp_path / place)
    with pytest.raises(InputError, match="cannot work in a path with") as caught:
        build_project(directory, board)
    assert "another directory" in (caught.value.hint or "")


def test_a_mistake_in_the_cmake_lists_is_told(project):
    directory, board = project
    with (directory / "CMakeLists.txt").open("a") as lists:
        lists.write("nonsense(1)\n")
    with pytest.raises(BuildError, match='Unknown CMake command "nonsense"'):
        build_project(directory, board, "cmake")


def test_a_mistake_in_platformio_ini_is_told(project):
    directory, board = project
    settings = (directory / "platformio.ini").read_text()
    (directory / "platformio.ini").write_text(settings.replace("[env:qemu-m4]", "[env:other]"))
    with pytest.raises(BuildError, match="qemu-m4"):
        build_project(directory, board, "platformio")


def test_no_output_at_all_is_told(tmp_path):
    error = failure("", load_board("qemu-m4"), tmp_path, tmp_path / "log")
    assert "no reason given" in error.message
