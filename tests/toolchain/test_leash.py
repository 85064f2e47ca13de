"""Builds and uploads end with the tool that started them, whatever way it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from detached_case import processes_in, processes_with
from project_case import small_project

RUN = """
import os, pathlib, sys
from tinyml_tool.toolchain.programs import run_logged
here = pathlib.Path()
run_logged(["sh", "-c", sys.argv[1]], directory=here, environment=os.environ, log=here / "log",
           time_limit=60)
"""
BUILD = """
import pathlib, sys
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.boards import load_board
build_project(pathlib.Path(sys.argv[1]), load_board("qemu-m4"))
"""


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def left_of(marker: str, seconds: float = 5.0) -> list[str]:
    """Processes that mention `marker`, once they had time to end."""
    deadline = time.monotonic() + seconds
    while (left := processes_with(marker)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def start(code: str, argument: str, directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, argument],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda s: s.name)
def test_a_killed_tool_takes_the_program_and_its_children_along(
    tmp_path: Path, how: signal.Signals
) -> None:
    tool = start(RUN, f"touch started; sleep 35{how:02} & sleep 35{how:02}", tmp_path)
    wait_for(tmp_path / "started")
    tool.send_signal(how)
    tool.wait(10)
    assert left_of(f"35{how:02}") == []


def test_a_program_that_ignores_the_polite_request_ends_too(tmp_path: Path) -> None:
    tool = start(RUN, "trap '' TERM; touch started; sleep 3573", tmp_path)
    wait_for(tmp_path / "started")
    tool.kill()
    tool.wait(10)
    assert left_of("3573") == []


def test_a_build_ends_with_a_killed_tool(tmp_path: Path) -> None:
    project, _ = small_project(tmp_path / "project")
    tool = start(BUILD, str(project), tmp_path)
    wait_for(project / ".pio" / "core")
    assert len(processes_in(project)) >= 2, "the build and what it has started"
    tool.kill()
    tool.wait(10)
    deadline = time.monotonic() + 5
    while processes_in(project) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_in(project) == []
