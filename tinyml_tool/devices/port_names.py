"""What a user may call a port: a device, a URL, or a board that is plugged in or emulated."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.boards import Board, load_boards
from tinyml_tool.devices.emulator_records import (
    EmulatorRecord,
    last_end,
    running_emulator,
    running_emulators,
)
from tinyml_tool.devices.port_holders import clients_of
from tinyml_tool.devices.ports import SerialPort, list_serial_ports, port_of
from tinyml_tool.errors import PortError


@dataclass(frozen=True)
class PortTarget:
    """A port that can be opened.  What is not known about the other end is None.

    `url` is what pyserial opens; `serial` what USB tells of it.
    """

    url: str
    board: str | None = None
    baud: int | None = None
    elf: Path | None = None
    serial: SerialPort | None = None
    emulated: bool = False

    @property
    def name(self) -> str:
        """What to call it: `/dev/ttyACM0`, `qemu-m4 at socket://127.0.0.1:4000`."""
        return f"{self.board} at {self.url}" if self.emulated and self.board else self.url


def find_port(
    name: str,
    board: Board | None = None,
    *,
    listing: Callable[[], Sequence[SerialPort]] = list_serial_ports,
) -> PortTarget:
    """The port called `name`.

    `name` is a device such as /dev/ttyACM0, a URL such as socket://host:port, or the id of a
    board: of an emulator that `tinyml flash` has left running, else of a board on USB.  `board` is
    that of the user, which may have an id of its own.  Raises PortError for a name that nothing
    has, and where a board is not there, is there twice, or its emulator is busy.
    """
    if emulator := _emulator_called(name):
        return _emulator_target(emulator)
    known = board if board is not None and board.id == name else load_boards().get(name)
    if known is None or _is_path(name):
        return _named_port(name, board, listing)
    if known.is_emulated:
        raise _not_running(known)
    serial = port_of(known, listing())
    return PortTarget(serial.device, known.id, known.uart.baud, serial=serial)


def only_port(*, listing: Callable[[], Sequence[SerialPort]] = list_serial_ports) -> PortTarget:
    """The port to take where the user names none.  Raises PortError unless there is just one."""
    emulators, ports = running_emulators(), listing()
    names = [*(emulator.board for emulator in emulators), *(port.device for port in ports)]
    if len(names) != 1:
        raise PortError(
            f"there are {len(names)} ports: {', '.join(names)}" if names else "there is no port",
            hint="name the port, a board, or a project; `tinyml ports` lists what is there",
        )
    return find_port(names[0], listing=listing)


def same_port(
    target: PortTarget, *, listing: Callable[[], Sequence[SerialPort]] = list_serial_ports
) -> PortTarget:
    """Where the other end of `target` is now, after a reset or a cable was pulled.

    Raises PortError while it is not there.
    """
    if target.emulated and target.board is not None:
        return find_port(target.board, listing=listing)
    if target.serial is None:
        return target
    for port in listing():
        if port.same_board(target.serial):
            return PortTarget(port.device, target.board, target.baud, target.elf, port)
    raise PortError(f"{target.name} is not plugged in")


def _is_path(name: str) -> bool:
    return "/" in name or name.upper().startswith("COM")


def _emulator_called(name: str) -> EmulatorRecord | None:
    if "://" in name:
        return next((e for e in running_emulators() if e.url == name), None)
    return None if _is_path(name) else running_emulator(name)


def _emulator_target(emulator: EmulatorRecord) -> PortTarget:
    clients = clients_of(emulator.port)
    if clients:
        raise PortError(
            f"{emulator.board} is busy: {clients[0]} uses it",
            hint="one program at a time talks to a board; end that one first",
        )
    elf = Path(emulator.elf)
    return PortTarget(emulator.url, emulator.board, emulator.baud, elf, emulated=True)


def _named_port(
    name: str, board: Board | None, listing: Callable[[], Sequence[SerialPort]]
) -> PortTarget:
    serial = None
    if "://" not in name:
        if not _is_path(name) and not Path(name).exists():
            raise _unknown_name(name)
        serial = next((port for port in listing() if port.device == name), None)
    return PortTarget(
        name,
        board.id if board else None,
        board.uart.baud if board else None,
        serial=serial,
    )


def _unknown_name(name: str) -> PortError:
    device = Path("/dev") / name
    known = [str(device)] if device.exists() else difflib.get_close_matches(name, load_boards())
    meant = f"did you mean {' or '.join(known)}? " if known else ""
    return PortError(
        f"'{name}' is neither a port nor a board",
        hint=meant + "`tinyml ports` lists ports, `tinyml boards` boards",
    )


def _not_running(board: Board) -> PortError:
    end = last_end(board.id)
    ago = f" (the last one ended {_ago(time.time() - end.time)}: {end.reason})" if end else ""
    return PortError(
        f"no emulator of {board.id} is running{ago}",
        hint="start it with `tinyml flash PROJECT`",
    )


def _ago(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.0f} h ago"
