"""What is estimated before building, against what was built."""

import pytest
from project_case import small_plan, small_project

from tinyml_tool.compiler.footprint import footprint_estimate, ram_on
from tinyml_tool.toolchain.build import build_project


@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m0"])
def test_the_estimated_memory_is_close_to_the_built_one(tmp_path, board):
    directory, board = small_project(tmp_path / "project", board)
    facts = build_project(directory, board, "cmake").facts
    footprint = footprint_estimate(small_plan(board.id))
    assert 0.85 < footprint.flash_bytes / facts.flash_bytes < 1.2
    assert 0.9 < ram_on(footprint, board) / facts.ram_bytes < 1.1


def test_what_is_certain_is_never_more_than_what_was_built(built):
    footprint = footprint_estimate(small_plan())
    assert footprint.certain_flash_bytes <= built.facts.flash_bytes
    assert footprint.arena_bytes == built.facts.arena_bytes
