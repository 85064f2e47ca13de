"""Serial ports: a pseudo-terminal and a socket stand in for boards."""

from __future__ import annotations

import errno
import os
import pty
import socket
import tty
from collections.abc import Iterator
from threading import Thread

import pytest
import serial

from tinyml_tool.devices.device import ByteStream
from tinyml_tool.devices.serial_port import SerialPortDevice
from tinyml_tool.errors import DeviceError, DeviceFaultError, PortError

FAULT_LINE = (
    b"\r\n!fault kind=bus exception=0x00000003 cfsr=0x00008200 hfsr=0x40000000 "
    b"mmfar=0x00000000 bfar=0xdeadbeec pc=0x00000c5c lr=0x00000e0b psr=0x61000000 "
    b"sp=0x20000798 stack=0x00000800 calls=0x00000e0b\r\n"
)


class Board:
    """The other end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.end, self._port = pty.openpty()
        tty.setraw(self._port)
        self.path = os.ttyname(self._port)

    def unplug(self) -> None:
        os.close(self._port)
        os.close(self.end)
        self.end = self._port = -1

    def close(self) -> None:
        if self.end >= 0:
            self.unplug()


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


def test_bytes_go_both_ways(board: Board) -> None:
    with SerialPortDevice(board.path) as device:
        assert isinstance(device.stream, ByteStream)
        device.stream.write(b"\x00\xff\n\r")
        assert os.read(board.end, 100) == b"\x00\xff\n\r"
        os.write(board.end, b"\x00\x11\x13\n")
        received = b""
        while len(received) < 4:
            received += device.stream.read(100, 2)
        assert received == b"\x00\x11\x13\n"


def test_a_read_returns_at_most_what_was_asked_for(board: Board) -> None:
    with SerialPortDevice(board.path) as device:
        os.write(board.end, b"abcdef")
        assert device.stream.read(1, 2) == b"a"
        assert device.stream.read(2, 2) == b"bc"


def test_a_silent_board_gives_no_bytes_and_no_error(board: Board) -> None:
    with SerialPortDevice(board.path) as device:
        assert device.stream.read(100, 0.05) == b""
        assert device.ending is None


def test_a_busy_port_is_told(board: Board) -> None:
    with (
        SerialPortDevice(board.path),
        pytest.raises(PortError, match="is busy: another program has it open") as caught,
    ):
        SerialPortDevice(board.path).start()
    assert "fuser" in (caught.value.hint or "")


def test_a_port_that_does_not_exist_is_told() -> None:
    with pytest.raises(PortError, match="/dev/ttyNOWHERE0 does not exist") as caught:
        SerialPortDevice("/dev/ttyNOWHERE0").start()
    assert "cable" in (caught.value.hint or "")


def test_a_port_without_permission_is_told(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EACCES, "could not open port: Permission denied")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(PortError, match=f"you may not open {board.path}") as caught:
        SerialPortDevice(board.path).start()
    assert "dialout" in (caught.value.hint or "")


def test_a_file_that_is_no_serial_port_is_told(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "file")  # noqa: PTH118
    with open(path, "w"):  # noqa: PTH123
        pass
    with pytest.raises(PortError, match="cannot be opened"):
        SerialPortDevice(path).start()


def test_an_unknown_kind_of_url_is_told() -> None:
    with pytest.raises(PortError) as caught:
        SerialPortDevice("carrier-pigeon://coop").start()
    assert "socket://host:port" in (caught.value.hint or "")


def test_a_socket_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    with pytest.raises(PortError, match="nobody listens there"):
        SerialPortDevice(f"socket://127.0.0.1:{port}").start()


def test_a_socket_is_a_port_like_any_other() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(connection.recv(100).upper())

        thread = Thread(target=echo)
        thread.start()
        with SerialPortDevice(f"socket://127.0.0.1:{server.getsockname()[1]}") as device:
            device.stream.write(b"hello")
            received = b""
            while len(received) < 5:
                received += device.stream.read(100, 2)
            assert received == b"HELLO"
            thread.join()
            with pytest.raises(PortError, match="is gone"):
                device.stream.read(1, 2)


def test_an_unplugged_board_is_told(board: Board) -> None:
    with SerialPortDevice(board.path) as device:
        board.unplug()
        with pytest.raises(PortError, match="is gone") as caught:
            device.stream.read(100, 2)
        assert "unplugged" in (caught.value.hint or "")


def test_a_fault_on_the_board_is_raised_once_after_its_text(board: Board) -> None:
    with SerialPortDevice(board.path) as device:
        os.write(board.end, b"before" + FAULT_LINE[:40])
        received = device.stream.read(100, 2)
        os.write(board.end, FAULT_LINE[40:] + b"hello again\n")
        received = b""
        with pytest.raises(DeviceFaultError, match=r"BusFault .* at address 0xdeadbeec"):
            while data := device.stream.read(4096, 0.5):
                received += data
        assert received.endswith(b"hello again\n")
        assert device.stream.read(100, 0.05) == b""
        assert "!fault" in device.log
    assert device.ending is not None
    assert device.ending.fault is not None


def test_a_closed_port_is_refused(board: Board) -> None:
    device = SerialPortDevice(board.path)
    with pytest.raises(DeviceError, match="is not open"):
        _ = device.stream
    stream = device.start()
    device.stop()
    device.stop()
    for use in (lambda: stream.read(1, 1), lambda: stream.write(b"x")):
        with pytest.raises(DeviceError, match="is closed"):
            use()
