"""The process that keeps an emulator running on its own, with its UART on a local TCP socket.

Started by `detached_emulator.py`, in a conversation of lines of JSON on stdin and stdout: the
request; the answer that the emulator runs, or why not; the order to stay; the answer that it is on
the list.  Without that order it ends when stdin does, so that a tool that dies half way leaves
nothing behind.

One client at a time; between two clients the firmware runs on, and what it prints is lost, as on a
cable that nobody listens to.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import FileIO
from threading import Lock, Thread
from typing import Any

from tinyml_tool.boards import Board
from tinyml_tool.devices.device import ByteStream, Device
from tinyml_tool.devices.emulator_records import EmulatorRecord, PublishedRecord, note_end
from tinyml_tool.devices.port_holders import tcp_rows
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.devices.renode import RenodeDevice
from tinyml_tool.errors import DeviceError, TinymlError

_READ_BYTES = 64 * 1024
_READ_SECONDS = 1.0
_SEND_SECONDS = 30.0
_END_OF_FRAME = b"\0"


@dataclass(frozen=True)
class KeepRequest:
    """What to keep running, and for how many seconds.  `emulator` is `qemu` or `renode`."""

    board: Board
    emulator: str
    elf: str
    project: str
    build_id: str
    model_name: str
    seconds: float

    def to_json(self) -> str:
        """The text that `from_json` reads."""
        return json.dumps({**self.__dict__, "board": self.board.model_dump(mode="json")})

    @staticmethod
    def from_json(text: str) -> KeepRequest:
        """Read a request of `to_json`."""
        values: dict[str, Any] = json.loads(text)
        board = Board.model_validate_json(json.dumps(values.pop("board")))
        return KeepRequest(board=board, **values)


class Bridge:
    """Joins the UART of a running device to one client after another."""

    def __init__(self, stream: ByteStream, listener: socket.socket) -> None:
        self._stream = stream
        self._listener = listener
        self._client: socket.socket | None = None
        self._lock = Lock()
        self._end_seen, self._end_told = socket.socketpair()
        self._end_reason = ""
        self._pump = Thread(target=self._carry_output, daemon=True)
        self._pump.start()

    def serve(self, until: FileIO | None = None) -> str | None:
        """Serve clients until the device ends: the reason why; or until `until` can be read."""
        while True:
            ready = self._wait(until)
            if self._end_seen in ready:
                self._pump.join()
                self._drop_client()
                return self._end_reason
            if self._client in ready:
                self._carry_input()
            if self._listener in ready:
                self._welcome()
            if until in ready:
                return None

    def _wait(self, until: FileIO | None) -> Sequence[object]:
        watched = [self._end_seen, self._listener, self._client, until]
        return select.select([item for item in watched if item is not None], (), ())[0]

    def _welcome(self) -> None:
        connection, (_, port) = self._listener.accept()
        while self._client is not None and _has_hung_up(self._client):
            self._carry_input()
        if self._client is not None or not _is_ours(port):
            connection.close()
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(_SEND_SECONDS)
        with self._lock:
            self._client = connection

    def _carry_input(self) -> None:
        assert self._client is not None
        try:
            data = self._client.recv(_READ_BYTES)
        except OSError:
            data = b""
        with contextlib.suppress(DeviceError):  # the pump tells of a device that has ended
            self._stream.write(data or _END_OF_FRAME)
        if not data:
            self._drop_client()

    def _carry_output(self) -> None:
        """Runs in a thread of its own: from the device to the client, if there is one."""
        try:
            while True:
                data = self._stream.read(_READ_BYTES, _READ_SECONDS)
                with self._lock:
                    client = self._client
                if data and client is not None:
                    _send(client, data)
        except DeviceError as end:
            self._end_reason = end.message
        self._end_told.send(b"!")

    def _drop_client(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()


def _send(client: socket.socket, data: bytes) -> None:
    """Send what the device wrote; a client that takes nothing for long is cut off."""
    try:
        client.sendall(data)
    except OSError:
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _has_hung_up(client: socket.socket) -> bool:
    """Whether nothing more will come than what is there."""
    poll = select.poll()
    poll.register(client, getattr(select, "POLLRDHUP", select.POLLHUP))
    return bool(poll.poll(0))


def _is_ours(port: int) -> bool:
    """Whether the client at that port of the loopback interface belongs to this user, or to root.

    The firmware reads and writes files for whoever asks, so nobody else may.
    """
    users = [row.user for row in tcp_rows() if row.local_port == port]
    return all(user in (0, os.geteuid()) for user in users)


def main() -> None:
    """Keep the emulator of the request on stdin; ends when it is stopped, or its time is over."""
    orders = FileIO(0, closefd=False)  # unbuffered: select() sees all that is there
    request = KeepRequest.from_json(orders.readline().decode())
    if os.fork():
        os._exit(0)  # whoever started this need not wait for its end
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, request.seconds)
    device = _device(request)
    try:
        _keep(request, device, orders)
    except TinymlError as error:
        _answer(error={"code": error.code, "message": error.message, "hint": error.hint})
    finally:
        _finish_undisturbed()
        device.stop()


def _stop(signal_number: int, frame: object) -> None:
    raise SystemExit(0)


def _finish_undisturbed() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)


def _device(request: KeepRequest) -> Device:
    time_limit = request.seconds + _READ_SECONDS  # the alarm comes first
    if request.emulator == "renode":
        return RenodeDevice(request.board, request.elf, time_limit=time_limit)
    return QemuDevice(request.board, request.elf, time_limit=time_limit)


def _keep(request: KeepRequest, device: Device, orders: FileIO) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        record = _record(request, listener.getsockname()[1])
        bridge = Bridge(device.start(), listener)
        _answer(running=asdict(record))
        ended = bridge.serve(until=orders)
        if ended is None and orders.readline():  # else whoever started this is gone
            _stay(bridge, record, device)


def _stay(bridge: Bridge, record: EmulatorRecord, device: Device) -> None:
    published = PublishedRecord(record)
    try:
        _answer(kept=True)
        _leave_streams()
        note_end(record.board, bridge.serve() or "")
    finally:
        _finish_undisturbed()
        device.stop()
        published.withdraw()  # off the list when nothing of it is left


def _record(request: KeepRequest, port: int) -> EmulatorRecord:
    board, now = request.board, time.time()
    return EmulatorRecord(
        board=board.id,
        emulator=request.emulator,
        pid=os.getpid(),
        port=port,
        project=request.project,
        elf=request.elf,
        build_id=request.build_id,
        model_name=request.model_name,
        baud=board.uart.baud,
        started=now,
        ends=now + request.seconds,
    )


def _answer(**values: object) -> None:
    """Tell whoever started this, if anybody still listens."""
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(values).encode() + b"\n")


def _leave_streams() -> None:
    """Let go of the streams of whoever started this."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout):
        os.dup2(null, stream.fileno())
    os.close(null)


if __name__ == "__main__":
    main()
