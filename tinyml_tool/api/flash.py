"""`flash`: firmware onto a board, or into an emulator that stays; then ask it what it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.api.project import Project, open_project
from tinyml_tool.api.session import EmulatorName, board_emulated_by, choose_emulator, open_session
from tinyml_tool.boards import Board, emulated_board
from tinyml_tool.devices.detached_emulator import started_emulator, stop_detached
from tinyml_tool.devices.emulator_keeper import KeepRequest
from tinyml_tool.devices.emulator_records import EmulatorRecord, running_emulators
from tinyml_tool.devices.port_holders import holders_of
from tinyml_tool.devices.port_names import PortTarget, find_port
from tinyml_tool.devices.reenumeration import wait_for_board
from tinyml_tool.errors import InputError, PortError
from tinyml_tool.protocol import HelloReply, ResetReason
from tinyml_tool.toolchain.build import System, build_project
from tinyml_tool.toolchain.upload import needs_port, require_upload, upload

DEFAULT_SECONDS = 8 * 3600.0
"""How long an emulator stays if nobody says otherwise."""

LONGEST_SECONDS = 7 * 24 * 3600.0

_OPEN_SECONDS = 3.0
"""The system may need that long to give the user a port that has just appeared."""

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Flashed:
    """Firmware that runs on a board or an emulator, as it says itself."""

    project: Path
    board: str
    """The board it runs on: of a real one's project on an emulator, the one that stands in."""
    port: str
    """What to give to `--port`."""
    url: str
    emulator: EmulatorRecord | None
    """None on a real board."""
    model_name: str
    model_hash: str
    build_id: str
    reset_reason: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "project": str(self.project),
            "board": self.board,
            "port": self.port,
            "url": self.url,
            "emulator": asdict(self.emulator) if self.emulator else None,
            "model_name": self.model_name,
            "model_hash": self.model_hash,
            "build_id": self.build_id,
            "reset_reason": self.reset_reason,
            "seconds": round(self.seconds, 3),
        }


def flash(
    project: str | Path = ".",
    *,
    port: str | None = None,
    emulated: bool = False,
    emulator: EmulatorName | None = None,
    seconds: float = DEFAULT_SECONDS,
    system: System = "platformio",
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Flashed:
    """Build the project where needed, bring its firmware to life, and ask it what it is.

    A real board is found by its USB ids, or is at `port`.  An emulated board's emulator, or with
    `emulated` that of the board in place of a real one, is left running for `seconds`; one that
    runs is ended once the new one has answered.

    Raises ToolMissingError within three seconds where a real board needs PlatformIO's registry and
    it cannot be reached; what building raises; PortError or DeviceError where the upload fails;
    LinkError where another firmware answers, or none.
    """
    started = time.monotonic()
    opened = open_project(project)
    if emulated or emulator is not None or not opened.board.is_real:
        _refuse_port(opened.board, port)
        _check_seconds(seconds)
        request = _keep_request(opened, emulator, seconds, system, progress)
        with started_emulator(request) as candidate:
            progress(f"asking {request.board.id} what it is")
            hello = _shake_hands(opened, candidate.record.url, time_limit)
            record = candidate.stay()
        return _flashed(opened, record.board, record.url, record, hello, started)
    target, hello = flash_board(opened, port, time_limit=time_limit, progress=progress)
    return _flashed(opened, port or opened.board.id, target.url, None, hello, started)


def flash_board(
    project: Project,
    port: str | None,
    *,
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> tuple[PortTarget, HelloReply]:
    """Build for the project's real board, upload, and ask: where the board is now, and its answer.

    Raises as `flash` does.
    """
    target = _upload(project, port, progress)
    progress(f"asking {project.board.id} what it is")
    return target, _shake_hands(project, target.url, time_limit)


def stop_emulators(name: str | Path | None = None) -> tuple[EmulatorRecord, ...]:
    """End emulators that `flash` has left running; returns those that did run.

    `name` is a board's id, or a project; without it all of this user are ended.  Raises PortError
    where it names something that does not run.
    """
    running = running_emulators()
    chosen = running if name is None else _called(str(name), running)
    for record in chosen:
        stop_detached(record)
    return tuple(chosen)


def _called(name: str, running: Sequence[EmulatorRecord]) -> list[EmulatorRecord]:
    folder = str(Path(name).resolve())
    found = [record for record in running if name == record.board or folder == record.project]
    if found:
        return found
    boards = ", ".join(record.board for record in running)
    raise PortError(
        f"no emulator of '{name}' is running" + (f"; there is {boards}" if boards else ""),
        hint="`tinyml ports` lists the emulators that run",
    )


def _refuse_port(board: Board, port: str | None) -> None:
    if port is not None:
        raise InputError(
            f"--port is for real boards, but '{emulated_board(board).id}' is emulated",
            hint="leave it out: flashing starts the emulator",
        )


def _check_seconds(seconds: float) -> None:
    if not 1 <= seconds <= LONGEST_SECONDS:
        raise InputError(
            f"an emulator cannot stay for {seconds:g} s", hint="choose 1 second to 7 days"
        )


def _keep_request(
    project: Project,
    emulator: EmulatorName | None,
    seconds: float,
    system: System,
    progress: Progress,
) -> KeepRequest:
    chosen = choose_emulator(project.board, emulator, None)
    assert chosen is not None, "without a port there is an emulator, or an error"
    firmware = build_project(
        project.folder,
        project.board,
        system,
        emulated=board_emulated_by(project.board, chosen),
        progress=progress,
    )
    progress(f"starting the emulator of {firmware.board.id}")
    return KeepRequest(
        board=firmware.board,
        emulator=chosen,
        elf=str(firmware.elf.resolve()),
        project=str(project.folder.resolve()),
        build_id=project.manifest.build_id,
        model_name=project.manifest.model_name,
        seconds=seconds,
    )


def _upload(project: Project, port: str | None, progress: Progress) -> PortTarget:
    board = project.board
    require_upload(project.folder, board)
    before = _port_before(board, port)
    device = before.url if before else None
    if device is not None:
        _refuse_busy(device)
    upload(project.folder, board, port=device, progress=progress)
    progress(f"waiting for {board.id} to come back")
    return wait_for_board(before, board)


def _port_before(board: Board, port: str | None) -> PortTarget | None:
    """Where the board is; None where it has no port, and the upload does without.

    A new board with USB of its own, or one whose boot loader waits, has none until its firmware
    runs.
    """
    try:
        return find_port(port or board.id, board)
    except PortError:
        if port is not None or needs_port(board):
            raise
        return None


def _refuse_busy(device: str) -> None:
    holders = holders_of([device])[device] if "://" not in device else ()
    if holders:
        raise PortError(
            f"{device} is busy: {holders[0]} uses it",
            hint="an upload needs the port for itself; end that program first",
        )


def _shake_hands(project: Project, url: str, time_limit: float | None) -> HelloReply:
    """What the firmware says.  Raises LinkError where it is another model or build."""
    deadline = time.monotonic() + _OPEN_SECONDS
    while True:
        try:
            with open_session(project, elf=Path, port=url, time_limit=time_limit) as session:
                return session.runner.hello
        except PortError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


def _flashed(
    project: Project,
    port: str,
    url: str,
    record: EmulatorRecord | None,
    hello: HelloReply,
    started: float,
) -> Flashed:
    reason = ResetReason.find(hello.reset_reason) or ResetReason.UNKNOWN
    return Flashed(
        project=project.folder,
        board=record.board if record else project.board.id,
        port=port,
        url=url,
        emulator=record,
        model_name=hello.model_name,
        model_hash=hello.model_hash.hex(),
        build_id=hello.build_id,
        reset_reason=reason.meaning,
        seconds=time.monotonic() - started,
    )
