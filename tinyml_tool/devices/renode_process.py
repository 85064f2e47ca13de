"""Starts Renode, and finds its robot server."""

from __future__ import annotations

import shlex
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.devices.process import ChildProcess
from tinyml_tool.devices.renode_robot import RobotServer, SilentServerError
from tinyml_tool.errors import DeviceError

_GUARD = Path(__file__).with_name("renode_guard.py")
_PID_FILE = "renode.pid"
_START_SECONDS = 60.0
_COMMAND_SECONDS = 60.0
_POLL_SECONDS = 0.05
_STARTS = 4
_NEW_OPTION = "--disable-gui"
_OLD_OPTION = "--disable-xwt"


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


def start_renode(program: str, *, seconds: float = _START_SECONDS) -> RenodeProcess:
    """Start `program` and wait, at most `seconds`, until its robot server answers.

    Raises DeviceError with Renode's own output where it ends at once, or stays silent.
    """
    option = _NEW_OPTION
    deadline = time.monotonic() + seconds
    for _ in range(_STARTS):
        port = free_port()
        renode = _launch(program, option, port)
        try:
            if _is_ready(renode, deadline):
                return renode
            failure = _failure(renode, program, port, seconds)
        except BaseException:
            renode.stop()
            raise
        renode.stop()
        said = renode.process.messages
        if option in said and option == _NEW_OPTION:
            option = _OLD_OPTION  # before version 1.15
        elif said.strip() or time.monotonic() > deadline:
            break  # another port would not help: that Renode says nothing of
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


def _is_ready(renode: RenodeProcess, deadline: float) -> bool:
    while time.monotonic() < deadline and renode.process.exit_status is None:
        try:
            return _is_its_own(renode)
        except SilentServerError:
            time.sleep(_POLL_SECONDS)
    return False


def _is_its_own(renode: RenodeProcess) -> bool:
    """Whether this very Renode answers, and not another one that has the port."""
    try:
        renode.robot.keywords()
        return Path(renode.robot.execute("echo $CWD")).resolve() == renode.directory
    except DeviceError:
        return False


def _failure(renode: RenodeProcess, program: str, port: int, seconds: float) -> DeviceError:
    status = renode.process.wait(_POLL_SECONDS)
    lines = [line for line in renode.process.messages.splitlines() if line.strip()]
    hint = f"does `{shlex.quote(program)} --version` work?"
    if status is None:
        problem = f"Renode does not answer on its robot server port {port} after {seconds:g} s"
    elif lines:
        problem = f"Renode ended at once with status {status}: {lines[0]}"
    else:
        problem = f"Renode ended at once with status {status}, without a word"
        hint = f"TCP port {port} may be in use, as it ends so then; or: {hint}"
    return DeviceError(problem, hint=hint, details=lines[1:])
