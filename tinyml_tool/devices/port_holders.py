"""Which programs hold a serial port or a local socket: open files, locks, lock files (Linux)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LOCK_FOLDERS = (Path("/run/lock"), Path("/var/lock"))
"""Where terminal programs of the old school leave `LCK..ttyACM0`."""

_COMMAND_LENGTH = 60
_ESTABLISHED = "01"


@dataclass(frozen=True)
class Holder:
    """A process that holds something; `command` is empty where it belongs to another user."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command or 'a program of another user'} (process {self.pid})"


def holders_of(
    devices: Iterable[str], *, proc: Path = PROC, lock_folders: Iterable[Path] = LOCK_FOLDERS
) -> dict[str, tuple[Holder, ...]]:
    """Who has each of `devices` open or locked, this process left out.

    Open files of other users are only visible to root; their locks are visible to all.
    """
    wanted = {device: _real(device) for device in devices}
    found: dict[str, set[int]] = {device: set() for device in wanted}
    opened = _pids_by_open_file(set(wanted.values()), proc)
    locked = _pids_by_lock(proc)
    for device, real in wanted.items():
        found[device] |= opened.get(real, set())
        found[device] |= locked.get(_inode(real), set())
        found[device] |= set(_pids_of_lock_files(Path(device).name, lock_folders, proc))
    return {device: _holders(pids, proc) for device, pids in found.items()}


def clients_of(port: int, *, proc: Path = PROC) -> tuple[Holder, ...]:
    """Who is connected to this TCP port of the loopback interface, this process left out."""
    inodes = {
        f"socket:[{row.inode}]"
        for row in tcp_rows(proc)
        if row.remote_port == port and row.state == _ESTABLISHED
    }
    pids = set().union(*_pids_by_open_file(inodes, proc).values()) if inodes else set()
    return _holders(pids, proc)


@dataclass(frozen=True)
class TcpRow:
    """A line of /proc/net/tcp."""

    local_port: int
    remote_port: int
    state: str
    user: int
    inode: int


def tcp_rows(proc: Path = PROC) -> Iterator[TcpRow]:
    """All IPv4 connections of this computer; none where the system does not tell."""
    try:
        lines = (proc / "net" / "tcp").read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        words = line.split()
        if len(words) >= 10:
            local, remote = (int(words[i].rpartition(":")[2], 16) for i in (1, 2))
            yield TcpRow(local, remote, words[3], int(words[7]), int(words[9]))


def _pids_by_open_file(names: set[str], proc: Path) -> dict[str, set[int]]:
    """Process ids by what their file descriptors point to."""
    found: dict[str, set[int]] = {}
    for folder in _processes(proc):
        try:
            descriptors = list((folder / "fd").iterdir())
        except OSError:  # it has ended, or belongs to another user
            continue
        for descriptor in descriptors:
            try:
                target = os.readlink(descriptor)  # noqa: PTH115 - `socket:[1]` is no path
            except OSError:
                continue
            if target in names:
                found.setdefault(target, set()).add(int(folder.name))
    return found


def _pids_by_lock(proc: Path) -> dict[str, set[int]]:
    """Process ids by `major:minor:inode` of the file they lock."""
    found: dict[str, set[int]] = {}
    try:
        lines = (proc / "locks").read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        if lock := re.search(r"(?:FLOCK|POSIX|OFDLCK)\s+\S+\s+\S+\s+(\d+)\s+(\S+)", line):
            found.setdefault(lock[2], set()).add(int(lock[1]))
    return found


def _inode(path: str) -> str:
    """`path` in the notation of /proc/locks; empty where it does not exist."""
    try:
        status = Path(path).stat()
    except OSError:
        return ""
    return f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"


def _pids_of_lock_files(name: str, folders: Iterable[Path], proc: Path) -> Iterator[int]:
    for folder in folders:
        try:
            pid = int((folder / f"LCK..{name}").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            continue
        if (proc / str(pid)).exists():  # else the program died and left its file behind
            yield pid


def _holders(pids: set[int], proc: Path) -> tuple[Holder, ...]:
    others = sorted(pids - {os.getpid()})
    return tuple(Holder(pid, _command(pid, proc)) for pid in others)


def _command(pid: int, proc: Path) -> str:
    try:
        words = (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    words = [word for word in words if word]
    if not words:
        return ""
    text = " ".join(_without_interpreter(words))
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= _COMMAND_LENGTH else text[: _COMMAND_LENGTH - 3] + "..."


def _without_interpreter(words: list[str]) -> list[str]:
    """The command as its user knows it: `tinyml monitor`, not `python -m tinyml_tool monitor`."""
    program = Path(words[0]).name
    if program.startswith("python") and len(words) > 1:
        if words[1:3] == ["-m", "tinyml_tool"]:
            return ["tinyml", *words[3:]]
        if not words[1].startswith("-"):
            return [Path(words[1]).name, *words[2:]]
    return [program, *words[1:]]


def _processes(proc: Path) -> Iterator[Path]:
    try:
        folders = list(proc.iterdir())
    except OSError:
        return
    yield from (folder for folder in folders if folder.name.isdigit())


def _real(device: str) -> str:
    return str(Path(device).resolve())
