"""Projects that several tests build or look at."""

import pytest
from project_case import small_project

from tinyml_tool.toolchain.build import build_project


@pytest.fixture
def project(tmp_path):
    """A fresh project of the small model on qemu-m4, and its board."""
    return small_project(tmp_path / "project")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The small model's firmware for qemu-m4, built once; look, but do not change."""
    directory, board = small_project(tmp_path_factory.mktemp("built") / "project")
    return build_project(directory, board)
