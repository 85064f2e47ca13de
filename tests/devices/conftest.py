"""The self-test firmware, built once a board and session."""

from __future__ import annotations

from pathlib import Path

import pytest
from selftest_firmware import BOARDS, BuildFor, build, need_tools

from tinyml_tool.boards import Board


@pytest.fixture(scope="session")
def selftest(tmp_path_factory: pytest.TempPathFactory) -> BuildFor:
    """The self-test firmware of a board, as a function from the board to its ELF file."""
    need_tools()
    built: dict[str, Path] = {}

    def get(board: Board) -> Path:
        if board.id not in built:
            built[board.id] = build(board, tmp_path_factory.mktemp(board.id))
        return built[board.id]

    return get


@pytest.fixture(params=BOARDS, ids=lambda board: board.id)
def board(request: pytest.FixtureRequest) -> Board:
    """Each emulated board in turn."""
    return request.param


@pytest.fixture
def m4() -> Board:
    return next(board for board in BOARDS if board.id == "qemu-m4")
