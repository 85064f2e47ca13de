"""`ports`: what is plugged in, who uses it, and which emulators run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinyml_tool.boards import Board, load_boards
from tinyml_tool.devices.emulator_records import EmulatorRecord, running_emulators
from tinyml_tool.devices.port_access import Access, access_of
from tinyml_tool.devices.port_holders import Holder, clients_of, holders_of
from tinyml_tool.devices.ports import SerialPort, list_serial_ports, probable_boards


@dataclass(frozen=True)
class PortFacts:
    """A serial port: which boards it may be, who holds it, and whether the user may open it."""

    port: SerialPort
    boards: tuple[str, ...]
    holders: tuple[Holder, ...]
    access: Access

    @property
    def free(self) -> bool:
        """Whether it can be opened now, as far as one sees without opening it."""
        return self.access.allowed and not self.holders

    def to_json(self) -> dict[str, Any]:
        """The entry of `ports` in `result` with `--json`."""
        return {
            **asdict(self.port),
            "boards": list(self.boards),
            "holders": [asdict(holder) for holder in self.holders],
            "allowed": self.access.allowed,
            "problem": self.access.problem,
            "remedy": list(self.access.remedy),
            "free": self.free,
        }


@dataclass(frozen=True)
class EmulatorFacts:
    """An emulator that `tinyml flash` has left running, and who talks to it."""

    record: EmulatorRecord
    holders: tuple[Holder, ...]
    seconds_left: float

    @property
    def stop_command(self) -> str:
        """What to type to end it."""
        return f"tinyml flash --stop {self.record.board}"

    def to_json(self) -> dict[str, Any]:
        """The entry of `emulators` in `result` with `--json`."""
        return {
            **asdict(self.record),
            "url": self.record.url,
            "holders": [asdict(holder) for holder in self.holders],
            "seconds_left": round(self.seconds_left),
            "stop": self.stop_command,
        }


@dataclass(frozen=True)
class Ports:
    """Everything that firmware can be reached at."""

    ports: tuple[PortFacts, ...]
    emulators: tuple[EmulatorFacts, ...]

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "ports": [port.to_json() for port in self.ports],
            "emulators": [emulator.to_json() for emulator in self.emulators],
        }


def describe_ports(
    found: Sequence[SerialPort],
    boards: Iterable[Board],
    holders: Mapping[str, tuple[Holder, ...]],
    access: Callable[[str], Access],
) -> tuple[PortFacts, ...]:
    """Put together what is known about each port."""
    known = list(boards)
    return tuple(
        PortFacts(
            port,
            probable_boards(port, known),
            holders.get(port.device, ()),
            access(port.device),
        )
        for port in found
    )


def ports() -> Ports:
    """List serial ports and running emulators.  Nothing is opened, so that no board restarts."""
    found = list_serial_ports()
    holders = holders_of(port.device for port in found)
    now = time.time()
    return Ports(
        describe_ports(found, load_boards().values(), holders, access_of),
        tuple(
            EmulatorFacts(record, clients_of(record.port), record.seconds_left(now))
            for record in running_emulators()
        ),
    )
