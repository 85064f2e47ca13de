"""Boards emulated by Renode: driven through its robot server, with the UART on a TCP socket."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from threading import Lock, Timer
from types import TracebackType
from typing import Self

from tinyml_tool.boards import Board
from tinyml_tool.devices.device import DeviceEndedError, Ending
from tinyml_tool.devices.faults import Fault, fault_error
from tinyml_tool.devices.firmware_file import check_firmware
from tinyml_tool.devices.renode_process import RenodeProcess, free_port, start_renode
from tinyml_tool.devices.renode_robot import SilentServerError
from tinyml_tool.devices.socket_stream import SocketStream
from tinyml_tool.devices.symbols import Symbols
from tinyml_tool.errors import DeviceError, DeviceFaultError, ToolMissingError
from tinyml_tool.firmware.renode_files import renode_platform, renode_reset_script

PROGRAM = "renode"
START_SECONDS = 60.0
"""Most that Renode may take to be there; a second or two is usual."""

_CONNECT_SECONDS = 10.0
_END_SECONDS = 5.0
_LAST_WORDS_SECONDS = 1.0
_PORTS_TRIED = 3
_TERMINAL = "term"


class RenodeDevice:
    """A firmware that runs in Renode.  Implements `Device`; a context manager, used once.

    `elf`: the firmware.  `time_limit`: seconds after which Renode is ended, whatever it does.
    Renode does not end with its firmware: a fault is known by the line that the firmware writes,
    and the host ends Renode.
    """

    shares_files = False
    counts_instructions = True

    def __init__(
        self, board: Board, elf: str | Path, *, time_limit: float = 600.0, program: str = PROGRAM
    ) -> None:
        if board.renode is None:
            raise DeviceError(
                f"board '{board.id}' is not emulated by Renode",
                hint="its board file needs a table [renode]; see docs/renode.md",
            )
        self._board = board
        self._elf = Path(elf).resolve()
        self._time_limit = time_limit
        self._program = program
        self._renode: RenodeProcess | None = None
        self._stream: SocketStream | None = None
        self._limit_timer: Timer | None = None
        self._stopped_because: str | None = None
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The board's id."""
        return self._board.id

    @property
    def stream(self) -> SocketStream:
        """The bytes of the UART."""
        if self._stream is None:
            raise DeviceError(f"{self.name} is not started")
        return self._stream

    @property
    def log(self) -> str:
        """Lines of text the firmware wrote, then what Renode printed."""
        text = self._stream.recording.text if self._stream else ""
        messages = self._renode.process.messages.rstrip() if self._renode else ""
        return "\n".join(part for part in (text, messages) if part)

    @property
    def pid(self) -> int | None:
        """Process id of Renode; None unless it runs."""
        if self._renode is None or self._renode.process.exit_status is not None:
            return None
        return self._renode.pid

    @property
    def ending(self) -> Ending | None:
        """How it ended; None before and while it runs."""
        if self._renode is None:
            return None
        fault = self._reported_fault()
        status = self._renode.process.exit_status
        if fault is not None:
            return Ending(None, "the firmware stopped in a fault", fault)
        if status is None:
            return None
        return Ending(status, self._stopped_because or f"Renode ended with status {status}")

    def start(self) -> SocketStream:
        """Start Renode with the firmware; returns when its serial port is connected.

        Raises ToolMissingError where Renode is not installed, DeviceError where it does not start
        or refuses something, in its own words.
        """
        if self._renode is not None:
            raise DeviceError(f"{self.name} was started before", hint="make a new device")
        program = shutil.which(self._program)
        if program is None:
            raise ToolMissingError(
                f"{self._program} is not on PATH",
                hint="install Renode from https://renode.io, version 1.15.3 or newer, "
                "or leave --emulator out",
            )
        check_firmware(self._elf, self._board)
        try:
            self._renode = start_renode(str(Path(program).absolute()), seconds=START_SECONDS)
            self._limit_timer = Timer(self._time_limit, self._reach_limit)
            self._limit_timer.daemon = True
            self._limit_timer.start()
            self._load()
            self._stream = SocketStream(self._connect(), self._explain_end)
            self._execute("start")
        except BaseException as error:
            self.stop()
            if isinstance(error, DeviceError):
                raise self._named(error) from None
            raise
        return self._stream

    def stop(self) -> None:
        """See Device."""
        if self._limit_timer is not None:
            self._limit_timer.cancel()
        self._end_process("it was stopped by this tool")
        if self._stream is not None:
            self._stream.close()

    def executed_instructions(self) -> int:
        """How many instructions the core has executed; it stands still while it is asked."""
        self._execute("pause")
        answer = self._execute("sysbus.cpu ExecutedInstructions")
        self._execute("start")
        try:
            return int(answer, 0)
        except ValueError:
            raise DeviceError(
                f"{self.name}: Renode tells no number of instructions, but {answer[:80]!r}"
            ) from None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _load(self) -> None:
        assert self._renode is not None
        directory = self._renode.directory  # Renode's working directory: no path needs quotes
        (directory / "board.repl").write_text(renode_platform(self._board), encoding="utf-8")
        (directory / "reset.resc").write_text(renode_reset_script(self._board), encoding="utf-8")
        shutil.copyfile(self._elf, directory / "firmware.elf")
        self._execute("mach create")
        self._execute("machine LoadPlatformDescription @board.repl")
        self._execute("$elf=@firmware.elf")
        self._execute("include @reset.resc")

    def _connect(self) -> socket.socket:
        port = self._open_terminal()
        self._execute(f"connector Connect sysbus.uart {_TERMINAL}")
        try:
            connection = socket.create_connection(("127.0.0.1", port), _CONNECT_SECONDS)
        except OSError as error:
            raise DeviceError(
                f"Renode's serial port on TCP port {port} cannot be reached: {error}"
            ) from None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _open_terminal(self) -> int:
        """Put the UART on a TCP port.  Another program may just have taken the one chosen."""
        for tries_left in reversed(range(_PORTS_TRIED)):
            port = free_port()
            try:
                # false: the very bytes of the firmware, without telnet's own
                self._execute(f'emulation CreateServerSocketTerminal {port} "{_TERMINAL}" false')
                return port
            except DeviceError as error:
                if "in use" not in error.message or not tries_left:
                    raise
        raise AssertionError

    def _execute(self, command: str) -> str:
        if self._renode is None:
            raise DeviceError(f"{self.name} is not started")
        try:
            return self._renode.robot.execute(command)
        except SilentServerError as error:
            self._renode.process.wait(_LAST_WORDS_SECONDS)
            ending = self.ending
            if ending is not None:
                raise self._ended_error(ending) from None
            raise DeviceError(f"Renode does not answer to `{command}`: {error}") from None

    def _named(self, error: DeviceError) -> DeviceError:
        if error.message.startswith(f"{self.name}: "):
            return error
        message = f"{self.name}: {error.message}"
        return DeviceError(message, hint=error.hint, details=error.details)

    def _reach_limit(self) -> None:
        self._end_process(f"it was stopped after {self._time_limit:g} s, its time limit")

    def _end_process(self, reason: str) -> None:
        with self._lock:
            if self._renode is None:
                return
            if self._renode.process.exit_status is None:
                self._stopped_because = reason
            self._renode.stop()

    def _reported_fault(self) -> Fault | None:
        return self._stream.recording.fault if self._stream else None

    def _explain_end(self) -> DeviceError:
        """Called after a fault, or when the connection is gone and Renode ends, or is about to."""
        fault = self._reported_fault()
        if fault is not None:
            found = fault_error(fault, Symbols(self._elf))
            message = f"{self.name}: {found.message}"
            return DeviceFaultError(message, hint=found.hint, details=found.details)
        if self._renode is not None:
            self._renode.process.wait(_END_SECONDS)
        ending = self.ending
        if ending is None:
            return DeviceError(f"{self.name}: Renode closed the serial port but still runs")
        return self._ended_error(ending)

    def _ended_error(self, ending: Ending) -> DeviceEndedError:
        messages = self._renode.process.messages.splitlines() if self._renode else []
        last = f": {messages[-1]}" if messages else ""
        return DeviceEndedError(f"{self.name}: {ending.reason}{last}", ending)
