"""No emulator outlives the tool, whatever way the tool ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selftest_firmware import BuildFor

from tinyml_tool.boards import Board

PARENT = Path(__file__).with_name("keep_qemu_running.py")
REPOSITORY = Path(__file__).parents[2]


def has_gone(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # ended; nobody has collected it yet
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def parent(m4: Board, selftest: BuildFor) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that runs an emulator, and the emulator's process id."""
    process = subprocess.Popen(
        [sys.executable, str(PARENT), m4.id, str(selftest(m4))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    assert process.stdout is not None
    yield process, int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda s: s.name
)
def test_the_emulator_ends_with_the_tool(
    how: signal.Signals, parent: tuple[subprocess.Popen[str], int]
) -> None:
    process, emulator = parent
    assert Path(f"/proc/{emulator}").exists()
    process.send_signal(how)
    process.wait(10)
    assert has_gone(emulator)


def test_ctrl_c_ends_the_tool_with_keyboard_interrupt(
    parent: tuple[subprocess.Popen[str], int],
) -> None:
    process, emulator = parent
    process.send_signal(signal.SIGINT)
    assert process.wait(10) in (130, -signal.SIGINT)
    assert has_gone(emulator)


def test_the_emulator_is_in_a_process_group_of_its_own(
    parent: tuple[subprocess.Popen[str], int],
) -> None:
    process, emulator = parent
    assert os.getpgid(emulator) == emulator
    assert os.getpgid(process.pid) != emulator
