from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_robot import FakeRobotServer
from renode_place import HERE, FakeRenode


@pytest.fixture
def fake_renode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRenode:
    """Puts a `renode` on PATH that behaves as asked for, with a program as its firmware."""
    # like the scripts of Renode's own packages: a shell that waits for the program
    script = f'#!/bin/sh\n"{sys.executable}" "{HERE / "fake_renode.py"}" "$@"\nexit $?\n'
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "renode").write_text(script)
    (folder / "renode").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def behave(behaviour: str = "", *, firmware: str = "cat") -> None:
        monkeypatch.setenv("FAKE_RENODE", behaviour)
        monkeypatch.setenv("FAKE_RENODE_FIRMWARE", firmware)

    behave()
    return behave


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str], str]], FakeRobotServer]]:
    """Starts robot servers around a function from command to answer."""
    servers: list[FakeRobotServer] = []

    def start(execute: Callable[[str], str]) -> FakeRobotServer:
        servers.append(FakeRobotServer(execute))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
