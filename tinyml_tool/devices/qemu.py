"""Boards emulated by QEMU: it connects its serial port to us, and never stays behind."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import socket
import time
from pathlib import Path
from threading import Lock, Timer
from types import TracebackType
from typing import Self

from tinyml_tool.boards import Board
from tinyml_tool.devices.device import DeviceEndedError, Ending
from tinyml_tool.devices.faults import FAULT_EXIT_STATUS, Fault, fault_error, parse_lockup
from tinyml_tool.devices.firmware_file import check_firmware
from tinyml_tool.devices.process import ChildProcess
from tinyml_tool.devices.socket_stream import SocketStream
from tinyml_tool.devices.symbols import Symbols
from tinyml_tool.errors import DeviceError, DeviceFaultError, ToolMissingError

PROGRAM = "qemu-system-arm"

_CONNECT_SECONDS = 10.0
_END_SECONDS = 5.0
_POLL_SECONDS = 0.02
_NOT_WORTH_TELLING = "icount sleep disabled and no active timers"


class QemuDevice:
    """A firmware that runs in QEMU.  Implements `Device`; a context manager, used once.

    `elf`: the firmware.  `count_instructions`: gives every instruction 2**`shift` nanoseconds of
    the guest's time, which makes its timers exactly repeatable; without it, they follow the host's
    clock, code runs faster, and a received byte may wait up to a second on MPS2 and MPS3 boards,
    whose UART does not wake QEMU's main loop.  `arguments`: what the firmware finds as its command
    line.  `directory`: where its file names start.  `time_limit`: seconds after which QEMU is
    ended, whatever it does.
    """

    shares_files = True

    def __init__(
        self,
        board: Board,
        elf: str | Path,
        *,
        count_instructions: bool = True,
        shift: int = 6,
        arguments: str = "",
        directory: str | Path | None = None,
        time_limit: float = 600.0,
        program: str = PROGRAM,
    ) -> None:
        if board.emulator is None or board.emulator.kind != "qemu":
            raise DeviceError(
                f"board '{board.id}' is not emulated by QEMU",
                hint="`tinyml boards` tells which boards are",
            )
        self.counts_instructions = count_instructions
        self._board = board
        self._machine = board.emulator.machine
        self._elf = Path(elf).resolve()
        self._shift = shift
        self._arguments = arguments
        self._directory = Path(directory).resolve() if directory is not None else None
        self._time_limit = time_limit
        self._program = program
        self._process: ChildProcess | None = None
        self._stream: SocketStream | None = None
        self._limit_timer: Timer | None = None
        self._stopped_because: str | None = None
        self._ending: Ending | None = None
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The board's id."""
        return self._board.id

    @property
    def stream(self) -> SocketStream:
        """The bytes of UART0."""
        if self._stream is None:
            raise DeviceError(f"{self.name} is not started")
        return self._stream

    @property
    def log(self) -> str:
        """Lines of text the firmware wrote, then messages of QEMU."""
        text = self._stream.recording.text if self._stream else ""
        return "\n".join(part for part in (text, self._messages()) if part)

    @property
    def pid(self) -> int | None:
        """Process id of QEMU once started."""
        return self._process.pid if self._process else None

    @property
    def ending(self) -> Ending | None:
        """How it ended; None before and while it runs."""
        if self._ending is None and self._process and self._process.exit_status is not None:
            self._ending = self._find_ending()
        return self._ending

    def command(self, port: int) -> tuple[str, ...]:
        """QEMU's command line, with the host listening on `port` of the loopback interface."""
        arguments = self._arguments.replace(",", ",,")  # QEMU's way to quote a comma
        return (
            self._program,
            "-machine",
            self._machine,
            "-display",
            "none",
            "-monitor",
            "none",
            "-chardev",
            f"socket,id=uart0,host=127.0.0.1,port={port},server=off,nodelay=on",
            "-serial",
            "chardev:uart0",
            "-semihosting-config",
            "enable=on,target=native" + (f",arg={arguments}" if arguments else ""),
            *(("-icount", f"shift={self._shift},sleep=off") if self.counts_instructions else ()),
            "-kernel",
            str(self._elf),
        )

    def start(self) -> SocketStream:
        """Start QEMU and wait until its serial port is connected.

        Raises ToolMissingError where QEMU is not installed, DeviceError where it does not start.
        """
        if self._process is not None:
            raise DeviceError(f"{self.name} was started before", hint="make a new device")
        self._check()
        with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
            command = self.command(listener.getsockname()[1])
            try:
                self._process = ChildProcess(command, self._directory)
                connection = self._accept(listener, command)
            except BaseException:
                self.stop()
                raise
        self._stream = SocketStream(connection, self._explain_end)
        self._limit_timer = Timer(self._time_limit, self._reach_limit)
        self._limit_timer.daemon = True
        self._limit_timer.start()
        return self._stream

    def stop(self) -> None:
        """See Device."""
        if self._limit_timer is not None:
            self._limit_timer.cancel()
        self._end_process("it was stopped by this tool")
        if self._stream is not None:
            self._stream.close()

    def wait(self, timeout: float) -> Ending:
        """Wait for the firmware's own end.  Raises DeviceError where it runs longer."""
        if self._process is None:
            raise DeviceError(f"{self.name} is not started")
        if self._process.wait(timeout) is None:
            raise DeviceError(f"{self.name} still runs after {timeout:g} s")
        ending = self.ending
        assert ending is not None
        return ending

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

    def _check(self) -> None:
        if shutil.which(self._program) is None:
            raise ToolMissingError(
                f"{self._program} is not installed", hint="sudo apt install qemu-system-arm"
            )
        check_firmware(self._elf, self._board)
        if self._directory is not None and not self._directory.is_dir():
            raise DeviceError(f"there is no directory {self._directory} for the emulator's files")

    def _accept(self, listener: socket.socket, command: tuple[str, ...]) -> socket.socket:
        assert self._process is not None
        listener.settimeout(_POLL_SECONDS)
        deadline = time.monotonic() + _CONNECT_SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                return listener.accept()[0]
            if self._process.exit_status is not None:
                self._process.wait(_END_SECONDS)
                raise self._start_error("QEMU ended at once", command)
            if time.monotonic() > deadline:
                raise self._start_error(f"QEMU did not connect in {_CONNECT_SECONDS:g} s", command)

    def _start_error(self, problem: str, command: tuple[str, ...]) -> DeviceError:
        messages = [line for line in self._messages().splitlines() if line.strip()]
        reason = messages[0].removeprefix(f"{self._program}: ") if messages else "no message"
        hint = "the firmware may be no ELF file for this board"
        if "machine" in reason:
            hint = f"this QEMU does not know '{self._machine}'; version 7.2 or newer does"
        return DeviceError(
            f"{self.name}: {problem}: {reason}",
            hint=hint,
            details=[*messages[1:], f"the command was: {shlex.join(command)}"],
        )

    def _reach_limit(self) -> None:
        self._end_process(f"it was stopped after {self._time_limit:g} s, its time limit")

    def _end_process(self, reason: str) -> None:
        with self._lock:
            if self._process is None or self._process.exit_status is not None:
                return
            self._stopped_because = reason
            self._process.end()

    def _messages(self) -> str:
        lines = self._process.messages.splitlines() if self._process else []
        return "\n".join(line for line in lines if _NOT_WORTH_TELLING not in line)

    def _find_ending(self) -> Ending:
        assert self._process is not None
        status = self._process.wait(_END_SECONDS)
        if self._stopped_because is not None:
            return Ending(status, self._stopped_because)
        fault = self._reported_fault() or parse_lockup(self._process.messages)
        if fault is not None:
            return Ending(status, "the firmware stopped in a fault", fault)
        if status == FAULT_EXIT_STATUS:
            return Ending(status, "the firmware stopped in a fault, but its report is damaged")
        if status is not None and status < 0:
            return Ending(status, f"QEMU was ended by signal {-status}")
        return Ending(status, f"the firmware ended with status {status}")

    def _reported_fault(self) -> Fault | None:
        return self._stream.recording.fault if self._stream else None

    def _fault_error(self, fault: Fault) -> DeviceFaultError:
        found = fault_error(fault, Symbols(self._elf))
        return DeviceFaultError(
            f"{self.name}: {found.message}", hint=found.hint, details=found.details
        )

    def _explain_end(self) -> DeviceError:
        """Called after a fault, or when the connection is gone and QEMU ends, or is about to."""
        fault = self._reported_fault()
        if fault is not None:
            return self._fault_error(fault)
        if self._process is not None and self._process.wait(_END_SECONDS) is None:
            return DeviceError(f"{self.name}: QEMU closed its serial port but still runs")
        ending = self.ending
        if ending is None:
            return DeviceError(f"{self.name} is not started")
        if ending.fault is not None:
            return self._fault_error(ending.fault)
        messages = self._messages().splitlines()
        last = f": {messages[-1]}" if messages else ""
        return DeviceEndedError(f"{self.name}: {ending.reason}{last}", ending)
