"""Every C and C++ file of a real board's environment compiles, with warnings as errors.

The framework is a small stand-in.  There is no compiler for Xtensa and RISC-V here: for those
boards the host's compiles the same files, which shows that they are right C and C++, not more.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from board_project import REAL_BOARDS, compile_files, files_of, sources_of, write_files

from tinyml_tool.boards import load_board

ARM = [name for name in REAL_BOARDS if load_board(name).core.is_arm]
OTHERS = [name for name in REAL_BOARDS if name not in ARM]
_BOARD_SPECIFIC = ("lib/port_arduino/", "lib/link/tinyml_hello.c", "src/")


def _one_of_each_core() -> list[str]:
    boards = {load_board(name).core: name for name in reversed(ARM)}
    return sorted(boards.values())


@pytest.mark.parametrize("name", _one_of_each_core())
def test_all_files_compile_for_the_core_of(name: str, tmp_path: Path) -> None:
    files = files_of(name)
    board = load_board(name)
    project = write_files(tmp_path, files)
    objects = compile_files(
        project, sources_of(files), board, prefix="arm-none-eabi-", options=board.core.gcc_flags
    )
    assert len(objects) == len(sources_of(files))


@pytest.mark.parametrize("name", sorted(set(ARM) - set(_one_of_each_core())))
def test_the_files_that_depend_on_the_board_compile_for_the_core_of(
    name: str, tmp_path: Path
) -> None:
    files = files_of(name)
    board = load_board(name)
    names = [path for path in sources_of(files) if path.startswith(_BOARD_SPECIFIC)]
    project = write_files(tmp_path, files)
    compile_files(project, names, board, prefix="arm-none-eabi-", options=board.core.gcc_flags)


@pytest.mark.parametrize("name", OTHERS)
def test_all_files_compile_with_the_compiler_of_the_host_for_want_of_one_for(
    name: str, tmp_path: Path
) -> None:
    files = files_of(name)
    project = write_files(tmp_path, files)
    compile_files(project, sources_of(files), load_board(name), prefix="", options=())


def test_every_file_of_the_port_is_compiled_for_some_board() -> None:
    folder = Path(__file__).parents[2] / "firmware_templates" / "port_arduino"
    used = {path.rpartition("/")[2] for name in REAL_BOARDS for path in files_of(name)}
    assert {path.name.removesuffix(".j2") for path in folder.iterdir()} <= used
