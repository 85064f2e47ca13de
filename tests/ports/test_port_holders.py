"""Which programs hold a port: seen from open files, locks, and lock files."""

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pty_board import PtyBoard

from tinyml_tool.devices.port_holders import clients_of, holders_of

HOLD = """
import fcntl, os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
NO_FOLDERS: tuple[Path, ...] = ()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    board = PtyBoard(tmp_path)
    yield board
    board.unplug()


@pytest.fixture
def holder(board: PtyBoard) -> Iterator[subprocess.Popen[str]]:
    """A program that has the port open and locked."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, board.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_free_port_is_held_by_nobody(board: PtyBoard) -> None:
    assert holders_of([str(board.path)])[str(board.path)] == ()


def test_the_program_that_has_a_port_open_is_named(
    board: PtyBoard, holder: subprocess.Popen[str]
) -> None:
    (found,) = holders_of([str(board.path)])[str(board.path)]
    assert found.pid == holder.pid
    assert "python" in found.command


def test_this_program_does_not_count(board: PtyBoard) -> None:
    descriptor = os.open(board.path, os.O_RDWR | os.O_NOCTTY)
    try:
        assert holders_of([str(board.path)], lock_folders=NO_FOLDERS)[str(board.path)] == ()
    finally:
        os.close(descriptor)


def fake_proc(folder: Path, pid: int = 4711) -> Path:
    """A /proc with one process, whose open files are hidden, as those of another user are."""
    process = folder / "proc" / str(pid)
    process.mkdir(parents=True)
    (process / "cmdline").write_bytes(b"")
    return folder / "proc"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["/usr/bin/python3", "-m", "tinyml_tool", "monitor"], "tinyml monitor"),
        (["/venv/bin/python", "/venv/bin/tinyml", "monitor"], "tinyml monitor"),
        (["/usr/bin/picocom", "/dev/ttyACM0"], "picocom /dev/ttyACM0"),
        (["/usr/bin/python3", "-c", "x" * 99], "python3 -c " + "x" * 46 + "..."),
    ],
)
def test_a_program_is_called_as_its_user_knows_it(
    tmp_path: Path, words: list[str], shown: str
) -> None:
    proc = fake_proc(tmp_path)
    (proc / "4711" / "cmdline").write_bytes("\0".join(words).encode() + b"\0")
    (tmp_path / "LCK..ttyACM0").write_text("4711")
    found = holders_of(["/dev/ttyACM0"], proc=proc, lock_folders=[tmp_path])
    assert found["/dev/ttyACM0"][0].command == shown


def test_the_lock_of_another_users_program_is_seen(tmp_path: Path) -> None:
    proc, port = fake_proc(tmp_path), tmp_path / "port"
    port.touch()
    status = port.stat()
    inode = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    (proc / "locks").write_text(f"1: FLOCK  ADVISORY  WRITE 4711 {inode} 0 EOF\n")
    (found,) = holders_of([str(port)], proc=proc, lock_folders=NO_FOLDERS)[str(port)]
    assert str(found) == "a program of another user (process 4711)"


def test_a_real_lock_is_found_under_the_same_name(tmp_path: Path) -> None:
    port = tmp_path / "port"
    with port.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = Path("/proc/locks").read_text()
    if f":{port.stat().st_ino} " not in lines:
        pytest.skip("this file system keeps its locks to itself")
    status = port.stat()
    assert f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino} " in lines


def test_the_lock_file_of_a_terminal_program_is_read(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path)
    (tmp_path / "LCK..ttyACM0").write_text("      4711\n")
    found = holders_of(["/dev/ttyACM0"], proc=proc, lock_folders=[tmp_path])
    assert [holder.pid for holder in found["/dev/ttyACM0"]] == [4711]


@pytest.mark.parametrize("content", ["9999\n", "", "no number\n"])
def test_a_lock_file_left_behind_means_nothing(tmp_path: Path, content: str) -> None:
    proc = fake_proc(tmp_path)
    (tmp_path / "LCK..ttyACM0").write_text(content)
    found = holders_of(["/dev/ttyACM0"], proc=proc, lock_folders=[tmp_path])
    assert found["/dev/ttyACM0"] == ()


def test_without_proc_nobody_is_named_and_nothing_fails(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    assert holders_of(["/dev/x"], proc=absent, lock_folders=NO_FOLDERS) == {"/dev/x": ()}
    assert clients_of(1, proc=absent) == ()


CONNECT = """
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("connected", flush=True)
sys.stdin.read()
"""


def test_the_program_at_the_other_end_of_a_socket_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with subprocess.Popen(
            [sys.executable, "-c", CONNECT, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None and process.stdout.readline() == "connected\n"
            assert [holder.pid for holder in clients_of(port)] == [process.pid]
            process.kill()
