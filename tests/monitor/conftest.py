"""Boards to listen to: on a pseudo-terminal, and on an emulator that reports by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from detached_case import REPORTING_MAIN, built_project, keep_request, start
from pty_board import PtyBoard

from tinyml_tool.api.flash import stop_emulators
from tinyml_tool.devices.emulator_records import EmulatorRecord
from tinyml_tool.toolchain.build import Firmware


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the running emulators of the test are listed; none of them stays."""
    folder = tmp_path / "run"
    monkeypatch.setenv("TINYML_RUNTIME_DIR", str(folder))
    yield folder
    stop_emulators()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    board = PtyBoard(tmp_path)
    yield board
    board.unplug()


@pytest.fixture(scope="session")
def reporting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Firmware]:
    """A project whose application runs the model again and again, and its firmware."""
    return built_project(tmp_path_factory.mktemp("monitor") / "small", REPORTING_MAIN)


@pytest.fixture
def emulator(reporting: tuple[Path, Firmware]) -> EmulatorRecord:
    """The reporting application, on an emulator that stays until the end of the test."""
    return start(keep_request(*reporting))


@pytest.fixture
def project(reporting: tuple[Path, Firmware]) -> Path:
    return reporting[0]
