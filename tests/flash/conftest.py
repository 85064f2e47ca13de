"""One built project, and a list of emulators that belongs to the test alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from detached_case import built_project, keep_request

from tinyml_tool.api.flash import stop_emulators
from tinyml_tool.devices.emulator_keeper import KeepRequest
from tinyml_tool.toolchain.build import Firmware


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the running emulators of the test are listed; none of them stays."""
    folder = tmp_path / "run"
    monkeypatch.setenv("TINYML_RUNTIME_DIR", str(folder))
    yield folder
    stop_emulators()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Firmware]:
    """The small model's project and its firmware."""
    return built_project(tmp_path_factory.mktemp("flash") / "small")


@pytest.fixture
def project(built: tuple[Path, Firmware]) -> Path:
    return built[0]


@pytest.fixture
def request_to_keep(built: tuple[Path, Firmware]) -> KeepRequest:
    """A request to run the small model's firmware for a minute."""
    return keep_request(*built)
