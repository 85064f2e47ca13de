"""The self-test firmware, built once a board and session."""

from __future__ import annotations

from pathlib import Path

import pytest
from selftest_firmware import BOARDS, BuildFor, build, need_tools

from tinyml_tool.boards import Board


def builder(factory: pytest.TempPathFactory, program: str, *, semihosting: int) -> BuildFor:
    need_tools()
    built: dict[str, Path] = {}

    def get(board: Board) -> Path:
        if board.id not in built:
            built[board.id] = build(
                board, factory.mktemp(board.id), program=program, semihosting=semihosting
            )
        return built[board.id]

    return get


@pytest.fixture(scope="session")
def selftest(tmp_path_factory: pytest.TempPathFactory) -> BuildFor:
    """The self-test firmware of a board, as a function from the board to its ELF file."""
    return builder(tmp_path_factory, "selftest.c", semihosting=1)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> BuildFor:
    """The same of a firmware for a lone board, without semihosting."""
    return builder(tmp_path_factory, "plain.c", semihosting=0)


@pytest.fixture(params=BOARDS, ids=lambda board: board.id)
def board(request: pytest.FixtureRequest) -> Board:
    """Each emulated board in turn."""
    return request.param


@pytest.fixture
def m4() -> Board:
    return next(board for board in BOARDS if board.id == "qemu-m4")
