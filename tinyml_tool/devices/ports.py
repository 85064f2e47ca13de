"""Serial ports of this computer, and the boards they probably are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tinyml_tool.boards import Board
from tinyml_tool.errors import PortError


@dataclass(frozen=True)
class SerialPort:
    """A port as the operating system describes it.

    `usb_id` is `vvvv:pppp` in lower case, None where the port is not on USB; `location` is the
    place of the socket, which stays the same while a board changes its ids.
    """

    device: str
    description: str = ""
    usb_id: str | None = None
    serial_number: str | None = None
    location: str | None = None

    def same_board(self, other: SerialPort) -> bool:
        """Whether both are one board, as far as USB tells: before and after a reset, say."""
        if self.serial_number and other.serial_number:
            return self.serial_number == other.serial_number
        if self.location and other.location:
            return _socket(self.location) == _socket(other.location)
        return self.device == other.device


def list_serial_ports() -> tuple[SerialPort, ...]:
    """All ports, in natural order of their names.  Nothing is opened: that would reset boards."""
    from serial.tools.list_ports import comports

    ports = (serial_port(info) for info in comports())
    return tuple(sorted(ports, key=lambda port: _natural(port.device)))


def serial_port(info: Any) -> SerialPort:  # noqa: ANN401 - pyserial has no types
    """A port from pyserial's description of it."""
    usb_id = None if info.vid is None else f"{info.vid:04x}:{info.pid:04x}"
    words = [info.manufacturer, info.product] if info.vid is not None else []
    text = " ".join(word for word in words if word) or info.description or ""
    return SerialPort(
        device=info.device,
        description="" if text == "n/a" else _printable(text),
        usb_id=usb_id,
        serial_number=info.serial_number or None,
        location=info.location or None,
    )


def probable_boards(port: SerialPort, boards: Iterable[Board]) -> tuple[str, ...]:
    """Ids of the boards that have the port's USB ids; several where they share a debug probe."""
    if port.usb_id is None:
        return ()
    return tuple(board.id for board in boards if port.usb_id in board.usb_ids)


def ports_of(board: Board, ports: Iterable[SerialPort]) -> tuple[SerialPort, ...]:
    """The ports that may be this board."""
    return tuple(port for port in ports if port.usb_id in board.usb_ids)


def port_of(board: Board, ports: Sequence[SerialPort]) -> SerialPort:
    """The one port of a board that is plugged in.  Raises PortError where there is none, or two."""
    found = ports_of(board, ports)
    if len(found) == 1:
        return found[0]
    if found:
        raise PortError(
            f"{len(found)} ports may be {board.id}: {_names(found)}",
            hint=f"name one, such as --port {found[0].device}; `tinyml ports` tells them apart",
        )
    others = f"; there are {_names(ports)}" if ports else "; there are no serial ports at all"
    raise PortError(
        f"no serial port looks like {board.name} ({board.id}){others}",
        hint=_hint_for_absent(board),
    )


def _hint_for_absent(board: Board) -> str:
    if not board.usb_ids:
        return "this board has no USB ids of its own: name its port with --port"
    return (
        f"looked for USB {', '.join(board.usb_ids)}: plug the board in with a cable that carries "
        "data, or name the port with --port"
    )


def _names(ports: Iterable[SerialPort]) -> str:
    return ", ".join(port.device for port in ports)


def _socket(location: str) -> str:
    """The USB socket in a location such as `1-2.3:1.0`."""
    return location.partition(":")[0]


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that puts ttyACM2 before ttyACM10."""
    return [
        (int(part or 0), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)
    ]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text).strip()
