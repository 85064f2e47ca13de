"""Starts Renode, and finds its robot server."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from tinyml_tool.devices.process import ChildProcess
from tinyml_tool.devices.renode_robot import RobotServer, SilentServerError
from tinyml_tool.errors import DeviceError

PROBE_SECONDS = 2.0
"""Most to wait for an answer of a server that may be there."""

_GUARD = Path(__file__).with_name("renode_guard.py")
_PID_FILE = "renode.pid"
_COMMAND_SECONDS = 60.0
_POLL_SECONDS = 0.05
_LAST_WORDS_SECONDS = 5.0
_STARTS = 4
_NEW_OPTION = "--disable-gui"
_OLD_OPTION = "--disable-xwt"


class _State(Enum):
    """What came of a start."""

    READY = auto()
    ENDED = auto()
    SILENT = auto()
    OF_ANOTHER = auto()
    """Some other Renode has the port."""


@dataclass(frozen=True)
class RenodeProcess:
    """A Renode that runs, with an empty emulation, and answers."""

    process: ChildProcess
    robot: RobotServer
    directory: Path
    """Its own: what it needs may be put there; it is removed in the end."""

    @property
    def pid(self) -> int:
        """Process id of Renode itself, as it tells."""
        return int((self.directory / _PID_FILE).read_text())

    def stop(self) -> None:
        """End it and remove its directory.  May be called twice."""
        self.robot.close()
        self.process.end()
        shutil.rmtree(self.directory, ignore_errors=True)


def start_renode(program: str, *, seconds: float) -> RenodeProcess:
    """Start `program` and wait, at most `seconds`, until its robot server answers.

    Raises DeviceError with Renode's own output where it ends at once, or stays silent.
    """
    option = _NEW_OPTION
    deadline = time.monotonic() + seconds
    for _ in range(_STARTS):
        port = free_port()
        renode = _launch(program, option, port)
        try:
            state = _wait(renode, port, deadline)
            if state is _State.READY:
                return renode
            failure = _failure(renode, state, port, program)
        except BaseException:
            renode.stop()
            raise
        renode.stop()
        if _says(renode, option) and option != _OLD_OPTION:
            option = _OLD_OPTION  # before version 1.15
        elif state is _State.SILENT or (state is _State.ENDED and _says(renode)):
            break  # another port would not help
    raise failure


def free_port() -> int:
    """A TCP port that nobody uses right now, on any interface: Renode listens on all."""
    with socket.create_server(("", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _launch(program: str, option: str, port: int) -> RenodeProcess:
    directory = Path(tempfile.mkdtemp(prefix="tinyml-renode-")).resolve()
    command = (
        program,
        option,
        "--hide-log",
        "--plain",
        "--pid-file",
        str(directory / _PID_FILE),
        "--robot-server-port",
        str(port),
    )
    guard = (sys.executable, "-I", "-S", str(_GUARD), str(directory))
    try:
        process = ChildProcess((*guard, *command), directory)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return RenodeProcess(process, RobotServer(port, timeout=_COMMAND_SECONDS), directory)


def _wait(renode: RenodeProcess, port: int, deadline: float) -> _State:
    while renode.process.exit_status is None:
        with contextlib.suppress(SilentServerError):
            return _State.READY if _is_its_own(renode, port) else _State.OF_ANOTHER
        if time.monotonic() > deadline:
            return _State.SILENT
        time.sleep(_POLL_SECONDS)
    renode.process.wait(_LAST_WORDS_SECONDS)
    return _State.ENDED


def _is_its_own(renode: RenodeProcess, port: int) -> bool:
    """Whether this very Renode answers, and not another one that has the port."""
    robot = RobotServer(port, timeout=PROBE_SECONDS)
    try:
        robot.keywords()
        return Path(robot.execute("echo $CWD")).resolve() == renode.directory
    except DeviceError:
        return False
    finally:
        robot.close()


def _says(renode: RenodeProcess, text: str = "") -> bool:
    """Whether it printed anything, with that text in it."""
    messages = renode.process.messages.strip()
    return bool(messages) and text in messages


def _failure(renode: RenodeProcess, state: _State, port: int, program: str) -> DeviceError:
    lines = [line for line in renode.process.messages.splitlines() if line.strip()]
    status = renode.process.exit_status
    hint = f"does `{shlex.quote(program)} --version` work?"
    if state is _State.OF_ANOTHER:
        problem = f"another program answers on Renode's robot server port {port}"
        hint = "try again; end other programs that use Renode, or run them one after another"
    elif state is _State.SILENT:
        problem = f"Renode does not answer on its robot server port {port}"
    elif lines:
        problem = f"Renode ended at once with status {status}: {lines[0]}"
    else:
        problem = f"Renode ended at once with status {status}, without a word"
        hint = f"it does so where TCP port {port} is in use; else: {hint}"
    return DeviceError(problem, hint=hint, details=lines[1:])
