"""Each command at each kind of port that does not do: exit code 6, the cause, and the next step."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import REPOSITORY, Finished, tinyml
from host_firmware import build_host_firmware
from link_device import DeviceStream
from project_case import small_files, small_model
from pty_board import PtyBoard
from pty_line import PtyLine

from tinyml_tool.firmware.project import write_project
from tinyml_tool.firmware.protocol_header import PROTOCOL_HEADER

COMMANDS = pytest.mark.parametrize("command", ["validate", "run", "monitor"])
LINK_COMMANDS = pytest.mark.parametrize("command", ["validate", "run"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("troubles") / "small"
    write_project(folder, small_files())
    return folder


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    board = PtyBoard(tmp_path)
    yield board
    board.unplug()


def arguments(command: str, project: Path, port: str | Path) -> list[str]:
    if command == "monitor":
        return [command, str(port), "--count", "1", "--duration", "1", "--json"]
    return [command, str(project), "--port", str(port), "--timeout", "1", "--json"]


def at(command: str, project: Path, port: str | Path) -> Finished:
    result = tinyml(*arguments(command, project, port))
    last = result.stdout.splitlines()[-1]  # the monitor writes a line for each event before it
    return Finished(result.code, last, result.stderr)


def holder_of(port: Path, *, lock: bool) -> subprocess.Popen[bytes]:
    """Another program that has the port open, and locks it as terminal programs do."""
    code = "import fcntl, sys; port = open(sys.argv[1]); "
    code += "fcntl.flock(port, fcntl.LOCK_EX); " if lock else ""
    process = subprocess.Popen(
        [sys.executable, "-c", code + "print('open', flush=True); sys.stdin.read()", port],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stdout.readline() == b"open\n"
    return process


def end_of(process: subprocess.Popen[bytes]) -> None:
    process.communicate(timeout=10)


def told(result: Finished, code: str) -> tuple[str, str]:
    """Message and hint of a failure of the device."""
    assert (result.code, result.error["code"]) == (6, code), result
    assert result.error["hint"]
    return result.error["message"], result.error["hint"]


@COMMANDS
def test_a_port_that_does_not_exist(command: str, project: Path) -> None:
    message, hint = told(at(command, project, "/dev/ttyNONE7"), "port")
    assert message == "/dev/ttyNONE7 does not exist"
    assert "cable" in hint


@COMMANDS
def test_a_port_that_another_program_holds(command: str, project: Path, board: PtyBoard) -> None:
    holder = holder_of(board.path, lock=True)
    message, hint = told(at(command, project, board.path), "port")
    end_of(holder)
    assert message.startswith(f"{board.path} is busy: ")
    assert f"(process {holder.pid}) has it open" in message
    assert hint == "end that program"


@LINK_COMMANDS
def test_a_program_that_listens_without_a_lock_is_named_when_the_talk_fails(
    command: str, project: Path, board: PtyBoard
) -> None:
    holder = holder_of(board.path, lock=False)
    result = at(command, project, board.path)
    end_of(holder)
    told(result, "link")
    (line,) = result.error["details"]
    assert line.endswith(f"(process {holder.pid}) has {board.path} open, too")


ORDINARY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
"""Runs a program of root's without the right to open what its permissions forbid."""


@COMMANDS
@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which(ORDINARY[0]) is None, reason="root may open everything"
)
def test_a_port_one_may_not_open(command: str, project: Path, board: PtyBoard) -> None:
    board.path.resolve().chmod(0)
    prefix = ORDINARY if os.geteuid() == 0 else []
    process = subprocess.run(
        [*prefix, sys.executable, "-m", "tinyml_tool", *arguments(command, project, board.path)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    result = Finished(process.returncode, process.stdout, process.stderr)
    message, _ = told(result, "port")
    assert message.startswith(f"you may not open {board.path}: ")


@LINK_COMMANDS
def test_a_silent_device(command: str, project: Path, board: PtyBoard) -> None:
    message, hint = told(at(command, project, board.path), "link")
    assert message == "the device does not answer: not one byte in 1 s"
    assert "tinyml flash" in hint
    assert "tinyml ports" in hint


def test_a_silent_device_at_the_monitor(project: Path, board: PtyBoard) -> None:
    message, hint = told(at("monitor", project, board.path), "device")
    assert message == "0 of 1 inferences in 1 s: the board printed nothing"
    assert "tinyml ports" in hint


def test_a_babbling_device_at_the_monitor(project: Path, board: PtyBoard) -> None:
    """As it looks at a wrong baud rate."""
    line = PtyLine(Babbler())
    with line:
        message, hint = told(at("monitor", project, line.name), "device")
    assert message == "0 of 1 inferences in 1 s: most of what the board sent is no text"
    assert "--baud" in hint


class Babbler:
    """A device that sends noise all the time."""

    def write(self, data: bytes) -> None:
        """Nobody listens."""

    def read(self, max_bytes: int, timeout: float) -> bytes:
        return bytes(byte | 0x80 for byte in os.urandom(20)) + b"\n"

    def close(self) -> None:
        """Nothing to do."""


@LINK_COMMANDS
def test_a_babbling_device(command: str, project: Path) -> None:
    with PtyLine(Babbler()) as line:
        result = at(command, project, line.name)
    message, hint = told(result, "link")
    assert "sends something else than this tool's protocol" in message
    assert "tinyml flash" in hint
    assert "it began with b'" in result.error["details"][0]


@pytest.fixture(scope="module")
def other_firmware(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Firmware that does not belong to the project, as programs of this computer."""
    folder = tmp_path_factory.mktemp("firmware")
    model = folder / "model"
    write_project(model, small_files(model=small_model(weight=5)))
    build, old = folder / "build", folder / "old"
    for changed in (build, old):
        write_project(changed, small_files())
    config = build / "lib" / "link" / "tinyml_link_config.h"
    text, count = re.subn(r'(TINYML_BUILD_ID) "\w+"', r'\1 "0123456789abcdef"', config.read_text())
    assert count == 1
    config.write_text(text)
    header = old / "lib" / "link" / PROTOCOL_HEADER
    text, count = re.subn(r"(TINYML_PROTOCOL_VERSION) \d+u", r"\1 0u", header.read_text())
    assert count == 1
    header.write_text(text)
    return {
        name: build_host_firmware(folder / name, folder / f"{name}.program")
        for name in ("model", "build", "old")
    }


@LINK_COMMANDS
@pytest.mark.parametrize(
    ("firmware", "cause", "step"),
    [
        ("model", "another model is on the device: 'small' with hash ", "tinyml flash"),
        ("build", "another build is on the device: 0123456789abcdef, expected ", "tinyml flash"),
        ("old", "the device speaks version 0 of the link protocol", "flash the firmware again"),
    ],
)
def test_a_device_with_other_firmware(
    command: str,
    firmware: str,
    cause: str,
    step: str,
    project: Path,
    other_firmware: dict[str, Path],
) -> None:
    with PtyLine(DeviceStream(other_firmware[firmware])) as line:
        message, hint = told(at(command, project, line.name), "link")
    assert message.startswith(cause)
    assert step in hint
