"""A conversation with the firmware of a project: on its emulator, or on a serial port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from tinyml_tool.api.project import Project
from tinyml_tool.boards import Board, emulated_boards
from tinyml_tool.compiler.tflm_plan import TflmPlan
from tinyml_tool.devices.device import ByteStream, Device
from tinyml_tool.devices.link.calibration import Benchmark
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.exchange import Timeouts
from tinyml_tool.devices.metered_stream import MeteredStream
from tinyml_tool.devices.port_names import find_port
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.devices.renode import RenodeDevice
from tinyml_tool.devices.serial_port import SerialPortDevice, other_users
from tinyml_tool.errors import DeviceError, InputError, LinkError
from tinyml_tool.verify.evidence import ArenaUse
from tinyml_tool.verify.readiness import arena_use, silent_tflm
from tinyml_tool.verify.runner import DeviceRunner

EmulatorName: TypeAlias = Literal["qemu", "renode"]

EMULATOR_SECONDS = 24 * 3600.0
"""An emulator never runs longer; silence ends it much sooner, by the link's timeouts."""


@dataclass(frozen=True)
class Session:
    """A started device that carries this very firmware, proven by the handshake."""

    device: Device
    client: LinkClient
    runner: DeviceRunner

    def arena(self, project: Project) -> ArenaUse:
        """How much of its arena the model uses."""
        state = self.client.model_state()
        return arena_use(project.source.graph, project.manifest.engine, state)

    def benchmark(self) -> Benchmark:
        """Measure the model.

        A timer rounds to its ticks, down or up; where they count instructions, several runs show
        both and so the exact number.  Behind a port, the first run tells whether they do.
        """
        if not self.device.counts_instructions:
            benchmark = self.client.benchmark(1)
            if benchmark.instructions is None:
                return benchmark
        return self.client.benchmark(8)


def choose_emulator(
    board: Board, emulator: EmulatorName | None, port: str | None
) -> EmulatorName | None:
    """What is to run the firmware: `emulator`, or else the board's own; None with a `port`.

    Raises InputError where both are given, and for a board that is not emulated, or not by this.
    """
    if port is not None:
        if emulator is not None:
            raise InputError("--port is for a device, --emulator for none", hint="give one of them")
        return None
    can = _emulators(board)
    if not can:
        raise InputError(
            f"board '{board.id}' is not emulated", hint="name the serial port with --port"
        )
    if emulator is not None and emulator not in can:
        raise InputError(
            f"board '{board.id}' is not emulated by {emulator}", hint=f"{' and '.join(can)} can"
        )
    return emulator or next(iter(can))


def board_emulated_by(board: Board, emulator: EmulatorName | None) -> Board:
    """The board that `emulator`, as chosen by `choose_emulator`, runs for `board`."""
    can = _emulators(board)
    return can[emulator] if emulator is not None else next(iter(can.values()), board)


def _emulators(board: Board) -> dict[EmulatorName, Board]:
    """What can run the firmware, the usual one first, and the board that it runs."""
    can: dict[EmulatorName, Board] = {}
    for stand_in in emulated_boards(board):
        if stand_in.emulator is not None:
            can.setdefault("qemu", stand_in)
        if stand_in.renode is not None:
            can.setdefault("renode", stand_in)
    return can


def emulator_for(board: Board, elf: Path, emulator: EmulatorName | None = None) -> Device:
    """The device that emulates `board`, with `elf` in its memory; not started.

    Raises as `choose_emulator` does.
    """
    chosen = choose_emulator(board, emulator, None)
    stand_in = board_emulated_by(board, chosen)
    if chosen == "renode":
        return RenodeDevice(stand_in, elf, time_limit=EMULATOR_SECONDS)
    return QemuDevice(stand_in, elf, time_limit=EMULATOR_SECONDS)


def timeouts_of(time_limit: float | None) -> Timeouts:
    """The waiting times of the link; `time_limit` bounds the silence that is endured."""
    usual = Timeouts()
    if time_limit is None:
        return usual
    return replace(
        usual,
        connect=time_limit,
        give_up=time_limit,
        work=time_limit,
        answer=min(usual.answer, time_limit),
    )


@contextmanager
def open_session(
    project: Project,
    *,
    elf: Callable[[], Path],
    port: str | None = None,
    emulator: EmulatorName | None = None,
    time_limit: float | None = None,
    moved: Callable[[int], None] | None = None,
) -> Iterator[Session]:
    """Start the project's device, shake hands, and stop it in the end.

    `elf` is called for the firmware only where an emulator needs it.  `port` is a port, a URL, or
    a board's id; without it, `emulator` runs the firmware, by default the board's own.  `moved` is
    told the bytes that go over the wire, where they do.  Raises PortError, LinkError for a silent,
    babbling or strange device, DeviceError, DeviceFaultError.
    """
    device: Device
    if port is not None:
        target = find_port(port, project.board)
        device = SerialPortDevice(target.url, baud=project.board.uart.baud, elf=target.elf)
    else:
        device = emulator_for(project.board, elf(), emulator)
    with device:
        stream: ByteStream = device.stream
        if moved is not None and not device.shares_files:
            stream = MeteredStream(stream, moved)
        with LinkClient(stream, timeouts=timeouts_of(time_limit)) as client:
            try:
                with _runner(client, project, use_files=device.shares_files) as runner:
                    client.expect_features(project.features_hash)
                    client.expect_answer(project.answer_hash)
                    yield Session(device, client, runner)
            except LinkError as error:
                error.details += _who_else_listens(device)
                raise


def _who_else_listens(device: Device) -> tuple[str, ...]:
    """Programs that did not lock the port and may have taken bytes of its answers."""
    if not isinstance(device, SerialPortDevice):
        return ()
    return tuple(f"{user} has {device.name} open, too" for user in other_users(device.name))


def _runner(client: LinkClient, project: Project, *, use_files: bool) -> DeviceRunner:
    graph, build_id = project.rewriting.graph, project.manifest.build_id
    try:
        return DeviceRunner(client, graph, build_id, use_files=use_files)
    except DeviceError as error:
        if client.greeted or project.manifest.engine != TflmPlan.engine:
            raise
        raise silent_tflm(error, project.manifest.arena_bytes) from None
