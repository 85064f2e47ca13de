"""The client of Renode's robot server, against a server that speaks as Renode's does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from fake_monitor import RefusedError
from fake_robot import KEYWORDS, FakeRobotServer

from tinyml_tool.devices.renode_robot import RobotServer, SilentServerError
from tinyml_tool.errors import DeviceError

Serve = Callable[[Callable[[str], str]], FakeRobotServer]


def refuse(reason: str) -> Callable[[str], str]:
    def execute(command: str) -> str:
        raise RefusedError(reason)

    return execute


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where someone takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_it_names_its_keywords(serve: Serve) -> None:
    robot = RobotServer(serve(str).port, timeout=5)
    assert robot.keywords() == tuple(KEYWORDS)


def test_a_command_arrives_as_it_is(serve: Serve) -> None:
    robot = RobotServer(serve(lambda command: f"did {command}").port, timeout=5)
    command = 'emulation CreateServerSocketTerminal 3456 "term" false'
    assert robot.execute(command) == f"did {command}"


def test_an_answer_comes_without_the_empty_lines_around_it(serve: Serve) -> None:
    robot = RobotServer(serve(lambda _: "0x0000000000013E1F\n\n").port, timeout=5)
    assert robot.execute("sysbus.cpu ExecutedInstructions") == "0x0000000000013E1F"


def test_a_refusal_is_told_in_renodes_words_with_the_command_once(serve: Serve) -> None:
    robot = RobotServer(serve(refuse("Parameters did not match the signature")).port, timeout=5)
    with pytest.raises(DeviceError) as caught:
        robot.execute("connector Connect sysbus.uart9 term")
    assert caught.value.message == (
        "Renode refuses `connector Connect sysbus.uart9 term`: "
        "Parameters did not match the signature"
    )


def test_further_lines_of_a_refusal_are_details(serve: Serve) -> None:
    reason = "Error E04: Could not resolve type: 'Memory.Mapped'.\nAt a.repl:1:8:\nflash: Memory"
    robot = RobotServer(serve(refuse(reason)).port, timeout=5)
    with pytest.raises(DeviceError, match="Could not resolve type") as caught:
        robot.execute("machine LoadPlatformDescription @a.repl")
    assert caught.value.details == ("At a.repl:1:8:", "flash: Memory")


def test_a_refusal_without_a_reason_says_so(serve: Serve) -> None:
    robot = RobotServer(serve(refuse("")).port, timeout=5)
    with pytest.raises(DeviceError, match="no reason given"):
        robot.execute("start")


def test_nobody_on_the_port_is_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SilentServerError, match="refused"):
        RobotServer(port, timeout=5).keywords()


def test_an_answer_that_does_not_come_is_given_up_in_time(silent_port: int) -> None:
    started = time.monotonic()
    with pytest.raises(SilentServerError):
        RobotServer(silent_port, timeout=0.3).execute("version")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 404 Not Found\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n<methodResponse><params><param><value><int>x</int></value>"
        b"</param></params></methodResponse>",
    ],
)
def test_another_kind_of_server_is_silence(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection = listener.accept()[0]
            connection.recv(65536)
            connection.sendall(answer)
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(SilentServerError):
            RobotServer(listener.getsockname()[1], timeout=2).keywords()


def test_an_answer_of_the_wrong_shape_is_silence(serve: Serve) -> None:
    server = serve(str)
    server._server.register_function(lambda *_: ["PASS"], "run_keyword")
    with pytest.raises(SilentServerError, match="PASS"):
        RobotServer(server.port, timeout=5).execute("start")


def test_it_can_be_closed_twice(serve: Serve) -> None:
    robot = RobotServer(serve(str).port, timeout=5)
    robot.keywords()
    robot.close()
    robot.close()
