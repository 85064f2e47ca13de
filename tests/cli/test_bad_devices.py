"""Devices and tools that let the user down: a clear message, exit code 5 or 6, soon."""

import os
import pty
import shutil
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from command import Finished, tinyml
from project_case import small_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, _ = small_project(tmp_path_factory.mktemp("projects") / "small")
    return folder


def validate(project: Path, port: str) -> Finished:
    return tinyml("validate", project, "--port", port, "--timeout", "1.5", "--json")


@contextmanager
def pseudo_terminal() -> Iterator[tuple[int, str]]:
    """A serial port of software: our end, and the name of the other."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def device(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A device on a TCP port that behaves badly once someone connects."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):  # the tool has hung up
            behave(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with server:
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
    thread.join(timeout=10)
    assert not thread.is_alive()


def until_hung_up(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def babble(connection: socket.socket) -> None:
    connection.settimeout(0.01)
    while True:
        connection.sendall(bytes(range(1, 256)) * 4)
        try:
            if not connection.recv(4096):
                return
        except TimeoutError:
            pass


def test_a_silent_port_is_told(project: Path) -> None:
    with pseudo_terminal() as (_, port):
        result = validate(project, port)
    assert (result.code, result.error["code"]) == (6, "link")
    assert "does not answer" in result.error["message"]
    assert result.error["hint"]


def test_a_babbling_device_is_told_with_what_it_said(project: Path) -> None:
    with device(babble) as port:
        result = validate(project, port)
    assert (result.code, result.error["code"]) == (6, "link")
    assert "something else" in result.error["message"]


def test_a_device_that_only_prints_text_is_told_with_its_text(project: Path) -> None:
    def greet(connection: socket.socket) -> None:
        connection.recv(1)  # what is sent while the port is being opened is thrown away
        connection.sendall(b"Hello from another firmware\r\n")
        until_hung_up(connection)

    with device(greet) as port:
        result = validate(project, port)
    assert (result.code, result.error["code"]) == (6, "link")
    assert any("Hello from another firmware" in line for line in result.error["details"])


def test_a_device_that_hangs_up_is_told(project: Path) -> None:
    with device(lambda connection: connection.close()) as port:
        result = validate(project, port)
    assert result.code == 6
    assert result.error["message"]


def test_a_port_that_does_not_exist_is_told(project: Path) -> None:
    result = validate(project, "/dev/ttyNONE7")
    assert (result.code, result.error["code"]) == (6, "port")
    assert "/dev/ttyNONE7" in result.error["message"]
    assert result.error["hint"]


def test_a_busy_port_is_told(project: Path) -> None:
    import fcntl

    with pseudo_terminal() as (_, port):
        holder = os.open(port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(holder, fcntl.LOCK_EX)
        try:
            result = validate(project, port)
        finally:
            os.close(holder)
    assert (result.code, result.error["code"]) == (6, "port")
    assert "use" in result.error["message"] or "busy" in result.error["message"]


def path_without(*hidden: str, folder: Path) -> str:
    """A PATH with the usual programs, but without those that start with one of `hidden`."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*") if Path(place).is_dir() else ():
            link = folder / program.name
            if not program.name.startswith(hidden) and not link.exists():
                link.symlink_to(program)
    return str(folder)


def test_a_missing_compiler_is_told_with_the_command_that_installs_it(
    project: Path, tmp_path: Path
) -> None:
    path = path_without("arm-none-eabi-", folder=tmp_path / "bin")
    result = tinyml("build", project, "--json", env={"PATH": path})
    assert (result.code, result.error["code"]) == (5, "tool_missing")
    assert "apt-get install gcc-arm-none-eabi" in result.error["hint"]


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no cross compiler here")
def test_a_missing_emulator_is_told_with_the_command_that_installs_it(
    project: Path, tmp_path: Path
) -> None:
    path = path_without("qemu-system-arm", folder=tmp_path / "bin")
    result = tinyml("validate", project, "--with", "cmake", "--json", env={"PATH": path})
    assert (result.code, result.error["code"]) == (5, "tool_missing")
    assert "install qemu-system-arm" in result.error["hint"]
